"""What a client may claim when it signs in, what the server has to know of it, and what proves it.

A mechanism's first message becomes a *claim*. A claim asks one question, which the shell answers from its stores; with
the answer it is proved at once, or goes on with a challenge as a *proof*. An account's sessions have a secret each, so
`Proved` says whose was used. What a client gets wrong is `Refused`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple, Protocol

from heliograph.xmpp import jid, scram
from heliograph.xmpp.jid import JidMalformed
from heliograph.xmpp.scram import ChannelBinding, offer_digest


class Refused(Exception):
    """What the client sent is refused, with a SASL condition (RFC 6120, section 6.5) and a sentence for a person."""

    def __init__(self, condition: str, text: str | None = None) -> None:
        self.condition = condition
        self.text = text
        super().__init__(condition)


# -------------------------------------------------------------------------------------------------- what is offered


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """What a stream offers to sign in with; made by `sasl_mechanisms.offer`, once for all streams that offer the same.

    Attributes:
        is_secure: whether the stream is encrypted.
        binding: what ties an exchange to its TLS connection (RFC 5056), where there is such a thing.
        mechanisms: the names of the mechanisms, best first.
        token_mechanisms: of those that take a token of an earlier sign-in (XEP-0484), which are announced elsewhere.
    """

    is_secure: bool = False
    binding: ChannelBinding | None = None
    mechanisms: tuple[str, ...] = ()
    token_mechanisms: tuple[str, ...] = ()

    @property
    def has_plus(self) -> bool:
        """Whether the client could have chosen channel binding."""
        return self.binding is not None

    def digest(self, algorithm: str) -> str:
        """What the client is told of all this inside SCRAM (XEP-0474, section 5.1)."""
        return _digest(self, algorithm)


@cache  # as many as offers and hash functions
def _digest(offer: Offer, algorithm: str) -> str:
    types = None if offer.binding is None else (offer.binding.type,)
    return offer_digest(offer.mechanisms, types, algorithm)


class Hints(NamedTuple):
    """What a client says of itself beside the mechanism's messages.

    Attributes:
        claimed: the bare JID of its stream header's `from`, where that counts (XEP-0388, section 2.3).
        client: the id of its installation (XEP-0388, section 2.3).
        has_token: whether it says that it brings a token of an earlier sign-in (XEP-0484, section 3.4).
    """

    claimed: str | None = None
    client: str | None = None
    has_token: bool = False


# ---------------------------------------------------------------------------------------------- questions and answers


class CredentialsWanted(NamedTuple):
    """What is known of a username? Answered with `Known`, or `None`. The username is a prepared localpart."""

    username: str
    host: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class BearerWanted:
    """Whose access token is that? Answered with `Bearer`, or `None`."""

    token: str = field(repr=False)
    host: str


@dataclass(frozen=True, slots=True)
class TokensWanted:
    """Which tokens for that mechanism has a client of that user? Answered with `Tokens`, or `None`."""

    username: str
    host: str
    client: str
    mechanism: str


Question = CredentialsWanted | BearerWanted | TokensWanted


@dataclass(slots=True)
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


@dataclass(slots=True)
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


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose token it is, and by which session; or that its time is over."""

    username: str
    session_id: str
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an earlier sign-in (XEP-0484).

    Attributes:
        session_id: the session that it signs in.
        text: the token itself.
        name: what it is called in the store.
        is_expired: whether its time is over.
    """

    session_id: str
    text: str = field(repr=False)
    name: str
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """All tokens of a client for the mechanism that was asked for (XEP-0484, section 3.4)."""

    tokens: Sequence[Token]


Answer = Known | Bearer | Tokens

# ------------------------------------------------------------------------------------------------------ claim and proof


class Proved(NamedTuple):
    """The client is that user, by that session.

    Attributes:
        message: the mechanism's last word, if it has one.
        token: the name of the token that was used, if one was.
    """

    username: str
    session_id: str
    message: bytes | None = None
    token: str | None = None


class Proof(Protocol):
    """A challenge is to be sent; the client's answer to it decides."""

    @property
    def challenge(self) -> bytes:
        """The message of the challenge."""
        ...

    def finish(self, message: bytes) -> Proved:
        """Take the client's answer; raises `Refused`, or `ScramError`."""
        ...


@dataclass(slots=True)
class Beginning:
    """With what an exchange begins: the stream's offer, a fresh nonce, and who is asked for at which domain.

    Attributes:
        secret: keys what unknown usernames are shown.
    """

    offer: Offer
    nonce: str
    username: str
    host: str
    secret: bytes = field(repr=False)


class Claim(Protocol):
    """What a client says of itself."""

    @property
    def authzid(self) -> str:
        """Whom the client wants to act as, as it wrote it, or `""`."""
        ...

    def question(self, host: str, mechanism: str, hints: Hints) -> Question:
        """What has to be known to go on; raises `Refused`."""
        ...

    def answer(self, found: Answer | None, begin: Beginning) -> Proved | Proof:
        """Go on with what is known; raises `Refused`."""
        ...


def local(username: str) -> str:
    """The prepared localpart of a username.

    Raises:
        Refused: nobody can have such a name.
    """
    try:
        return jid.prepare_local(username)
    except JidMalformed:
        raise Refused("not-authorized") from None


def check_authzid(authzid: str, username: str, host: str) -> None:
    """Let a client act as itself alone (RFC 6120, section 6.3.8).

    Raises:
        Refused: it wants to act as another.
    """
    if not authzid:
        return
    try:
        is_own = jid.parse(authzid) == jid.parse(f"{username}@{host}")
    except JidMalformed:
        is_own = False
    if not is_own:
        raise Refused("invalid-authzid")
