"""What the mechanisms say: PLAIN (RFC 4616), SCRAM (RFC 5802, RFC 7677) with and without channel binding.

A client's first message becomes a *claim*. A claim asks one question, which the shell answers from its stores; with the
answer it is proved at once, or goes on with a challenge as a *proof*. An account's sessions have a password each, so
`Proved` says whose was used. What a client gets wrong is `Refused`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from heliograph.xmpp import jid, scram
from heliograph.xmpp.jid import JidMalformed
from heliograph.xmpp.scram import ChannelBinding, ClientFirst, ServerExchange, offer_digest, parse_client_first

# --------------------------------------------------------------------------------------------------------- questions


@dataclass(frozen=True, slots=True)
class CredentialsWanted:
    """What is known of a username? Answered with `Known`, or `None`. The username is a prepared localpart."""

    username: str
    host: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is kept of one session's password: StoredKey and ServerKey for both hashes, and its SHA-256 for PLAIN."""

    session_id: str
    stored_sha1: bytes = field(repr=False)
    server_sha1: bytes = field(repr=False)
    stored_sha256: bytes = field(repr=False)
    server_sha256: bytes = field(repr=False)
    sha256: bytes = field(repr=False)

    def scram(self, algorithm: str) -> tuple[str, bytes, bytes]:
        """Session id, StoredKey and ServerKey for `sha1` or `sha256`."""
        if algorithm == "sha1":
            return self.session_id, self.stored_sha1, self.server_sha1
        return self.session_id, self.stored_sha256, self.server_sha256


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a username: the salt and iteration count of all its passwords, and a verifier for each."""

    salt: bytes
    iterations: int
    verifiers: Sequence[Verifier]
    is_blocked: bool = False


def decoy(secret: bytes, account: str) -> Known:
    """What would be known of an account that does not exist, so that a stranger can tell by neither answer nor time.

    It has one password like any other, which nobody has.

    Args:
        secret: of the installation; whoever knows it can tell.
        account: the bare JID that was asked for.
    """
    unknown = hmac.digest(secret, b"decoy" + account.encode(), "sha256")
    verifier = Verifier("", unknown[:20], unknown[:20], unknown, unknown, unknown)
    return Known(scram.decoy_salt(secret, account), scram.ITERATIONS_MIN, (verifier,))


# ------------------------------------------------------------------------------------------------------------- claims


class Refused(Exception):
    """What the client sent is refused, with a SASL condition (RFC 6120, section 6.5) and a sentence for a person."""

    def __init__(self, condition: str, text: str | None = None) -> None:
        self.condition = condition
        self.text = text
        super().__init__(condition)


@dataclass(frozen=True, slots=True)
class Proved:
    """The client is that user, by that session; `message` is the mechanism's last word, if it has one."""

    username: str
    session_id: str
    message: bytes | None = None


class Proof(Protocol):
    """A challenge is to be sent; the client's answer to it decides."""

    @property
    def challenge(self) -> bytes:
        """The message of the challenge."""
        ...

    def finish(self, message: bytes) -> Proved:
        """Take the client's answer; raises `Refused`, or `ScramError`."""
        ...


class Claim(Protocol):
    """What a client says of itself; `authzid` is whom it wants to act as, or `""`, as it wrote it."""

    @property
    def authzid(self) -> str:
        """Whom the client wants to act as, or `""`."""
        ...

    def question(self, host: str, mechanism: str) -> CredentialsWanted:
        """What has to be known to go on; raises `Refused`."""
        ...

    def answer(self, known: Known | None, begin: Beginning) -> Proved | Proof:
        """Go on with what is known; raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """What a stream offers to sign in with.

    Attributes:
        is_secure: whether the stream is encrypted.
        binding: what ties an exchange to its TLS connection (RFC 5056), where there is such a thing.
    """

    is_secure: bool
    binding: ChannelBinding | None = None

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The names of the mechanisms, best first."""
        return tuple(name for name in _MECHANISMS if self.has(name))

    def has(self, mechanism: str) -> bool:
        """Whether a mechanism is offered; of those that need encryption, none is without it."""
        if mechanism in _BOUND:
            return self.binding is not None
        return mechanism in _MECHANISMS and (self.is_secure or mechanism not in _NEED_ENCRYPTION)

    @property
    def has_plus(self) -> bool:
        """Whether the client could have chosen channel binding."""
        return self.binding is not None

    def digest(self, algorithm: str) -> str:
        """What the client is told of all this inside SCRAM (XEP-0474, section 5.1)."""
        types = None if self.binding is None else (self.binding.type,)
        return offer_digest(self.mechanisms, types, algorithm)


@dataclass(frozen=True, slots=True)
class Beginning:
    """With what an exchange begins: the stream's offer, a nonce never used before, and who is asked for."""

    offer: Offer
    nonce: str
    question: CredentialsWanted
    secret: bytes = field(repr=False)

    def known(self, known: Known | None) -> Known:
        """What is known of a username, or a decoy; a blocked user is told so.

        Raises:
            Refused: the user is blocked. Its sessions are gone, so no password could ever be proved.
        """
        if known is None:
            return decoy(self.secret, f"{self.question.username}@{self.question.host}")
        if known.is_blocked:
            raise Refused("account-disabled", "The user is blocked by the administrator")
        return known


def _wanted(username: str, host: str, mechanism: str) -> CredentialsWanted:
    try:
        return CredentialsWanted(jid.prepare_local(username), host, mechanism)
    except JidMalformed:
        raise Refused("not-authorized") from None  # nobody can have such a name


@dataclass(frozen=True, slots=True)
class _PlainClaim:
    """PLAIN sends the password itself; only its hash is held."""

    username: str
    authzid: str
    sha256: bytes = field(repr=False)

    @classmethod
    def read(cls, message: bytes, _offer: Offer) -> _PlainClaim:
        """RFC 4616, section 2."""
        parts = message.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2]:
            raise Refused("malformed-request")
        try:
            return cls(parts[1].decode(), parts[0].decode(), hashlib.sha256(parts[2]).digest())
        except UnicodeDecodeError:
            raise Refused("malformed-request") from None

    def question(self, host: str, mechanism: str) -> CredentialsWanted:
        return _wanted(self.username, host, mechanism)

    def answer(self, known: Known | None, begin: Beginning) -> Proved:
        # All are compared, so that the time does not tell which session it was.
        verifiers = begin.known(known).verifiers
        fitting = [each for each in verifiers if hmac.compare_digest(each.sha256, self.sha256)]
        if not fitting:
            raise Refused("not-authorized")
        return Proved(begin.question.username, fitting[0].session_id)


@dataclass(frozen=True, slots=True)
class _ScramClaim:
    """SCRAM sends a name first, and a proof when it has the challenge."""

    algorithm: str
    first: ClientFirst
    binding: ChannelBinding | None

    @classmethod
    def read(cls, algorithm: str, is_bound: bool, message: bytes, offer: Offer) -> _ScramClaim:
        """RFC 5802, section 5."""
        binding = offer.binding if is_bound else None
        return cls(algorithm, parse_client_first(message, binding, is_plus_offered=offer.has_plus), binding)

    @property
    def authzid(self) -> str:
        return self.first.authzid

    def question(self, host: str, mechanism: str) -> CredentialsWanted:
        return _wanted(self.first.username, host, mechanism)

    def answer(self, known: Known | None, begin: Beginning) -> _ScramProof:
        found = begin.known(known)
        digest = begin.offer.digest(self.algorithm)
        exchange = ServerExchange(
            self.algorithm, self.first, begin.nonce, found.salt, found.iterations, self.binding, digest
        )
        verifiers = [each.scram(self.algorithm) for each in found.verifiers]
        return _ScramProof(begin.question.username, exchange, verifiers)


@dataclass(frozen=True, slots=True)
class _ScramProof:
    username: str
    exchange: ServerExchange
    verifiers: Sequence[tuple[str, bytes, bytes]] = field(repr=False)

    @property
    def challenge(self) -> bytes:
        return self.exchange.server_first.encode()

    def finish(self, message: bytes) -> Proved:
        session_id, final = self.exchange.finish(message, self.verifiers)
        return Proved(self.username, session_id, final.encode())


_MECHANISMS: Mapping[str, Callable[[bytes, Offer], Claim]] = {  # best first
    "SCRAM-SHA-256-PLUS": partial(_ScramClaim.read, "sha256", True),
    "SCRAM-SHA-1-PLUS": partial(_ScramClaim.read, "sha1", True),
    "SCRAM-SHA-256": partial(_ScramClaim.read, "sha256", False),
    "SCRAM-SHA-1": partial(_ScramClaim.read, "sha1", False),
    "PLAIN": _PlainClaim.read,
}
_BOUND = frozenset(("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"))
_NEED_ENCRYPTION = frozenset(("PLAIN",))


def check_mechanism(mechanism: str, offer: Offer) -> None:
    """Take a mechanism that the stream offers.

    Raises:
        Refused: `invalid-mechanism`, or `encryption-required` where it would be offered on a secure stream.
    """
    if offer.has(mechanism):
        return
    is_hidden = mechanism in _NEED_ENCRYPTION and not offer.is_secure
    raise Refused("encryption-required" if is_hidden else "invalid-mechanism")


def read_claim(mechanism: str, message: bytes, offer: Offer) -> Claim:
    """The claim that a mechanism's first message makes.

    Raises:
        Refused, ScramError: it is malformed, or does not fit the offer.
    """
    return _MECHANISMS[mechanism](message, offer)
