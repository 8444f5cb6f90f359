"""Signing in with SASL, the receiving side (RFC 6120, section 6): PLAIN (RFC 4616) and SCRAM (RFC 5802, RFC 7677).

A `Negotiation` is one attempt. It takes what the client sends and gives steps: an element to send, or the question
which credentials a username has. An account's sessions have a password each; `Success` says whose was used.
`Negotiation.TRANSITIONS` is the whole machine; what it does not list fails the attempt.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, ClassVar, Protocol
from xml.etree.ElementTree import Element

from heliograph.xmpp import jid, scram
from heliograph.xmpp.jid import JidMalformed
from heliograph.xmpp.scram import (
    ClientFirst,
    ScramError,
    ServerExchange,
    decode_base64,
    encode_base64,
    parse_client_first,
)
from heliograph.xmpp.stanza import NS_SASL, escape

_NONCE_BYTES = 18


# ------------------------------------------------------------------------------------------------- what is known


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


# --------------------------------------------------------------------------------------------------------- steps


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send `xml` and wait for a response."""

    message: str = ""

    @property
    def xml(self) -> str:
        """The `<challenge/>` element."""
        return _element("challenge", encode_base64(self.message.encode()))


@dataclass(frozen=True, slots=True)
class NeedCredentials:
    """Look up the user and call `credentials`. The username is a prepared localpart."""

    username: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class Success:
    """Send `xml`: the client is who it says it is, and used that session's password."""

    session_id: str
    message: str = ""

    @property
    def xml(self) -> str:
        """The `<success/>` element."""
        return _element("success", encode_base64(self.message.encode()))


@dataclass(frozen=True, slots=True)
class Failure:
    """Send `xml`: the attempt failed with a condition of RFC 6120, section 6.5, and a sentence for a person."""

    condition: str
    text: str | None = None

    @property
    def xml(self) -> str:
        """The `<failure/>` element."""
        said = f"<text xml:lang='en'>{escape(self.text)}</text>" if self.text else ""
        return _element("failure", f"<{self.condition}/>{said}")


Step = Challenge | NeedCredentials | Success | Failure


def _element(local: str, content: str) -> str:
    return f"<{local} xmlns='{NS_SASL}'>{content}</{local}>" if content else f"<{local} xmlns='{NS_SASL}'/>"


# ---------------------------------------------------------------------------------------------------- mechanisms


class _Refused(Exception):
    """What the client sent is refused, with a SASL condition."""

    def __init__(self, condition: str) -> None:
        self.condition = condition
        super().__init__(condition)


@dataclass(frozen=True, slots=True)
class _Proof:
    """A challenge was made; the client's answer to it decides."""

    exchange: ServerExchange
    verifiers: Sequence[tuple[str, bytes, bytes]] = field(repr=False)

    def finish(self, message: bytes) -> Success:
        return Success(*self.exchange.finish(message, self.verifiers))


class _Claim(Protocol):
    """What a client says of itself: the username and whom it wants to act as (or `""`), as it wrote them."""

    @property
    def username(self) -> str: ...
    @property
    def authzid(self) -> str: ...

    def answer(self, known: Known, nonce: str) -> Success | Failure | _Proof:
        """Go on with what is known of the username."""
        ...


@dataclass(frozen=True, slots=True)
class _PlainClaim:
    """PLAIN sends the password itself; only its hash is held."""

    username: str
    authzid: str
    sha256: bytes = field(repr=False)

    @classmethod
    def read(cls, message: bytes) -> _PlainClaim:
        """RFC 4616, section 2."""
        parts = message.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2]:
            raise _Refused("malformed-request")
        try:
            return cls(parts[1].decode(), parts[0].decode(), hashlib.sha256(parts[2]).digest())
        except UnicodeDecodeError:
            raise _Refused("malformed-request") from None

    def answer(self, known: Known, nonce: str) -> Success | Failure:  # noqa: ARG002 - one verb for all mechanisms
        # All are compared, so that the time does not tell which session it was.
        fitting = [each for each in known.verifiers if hmac.compare_digest(each.sha256, self.sha256)]
        return Success(fitting[0].session_id) if fitting else Failure("not-authorized")


@dataclass(frozen=True, slots=True)
class _ScramClaim:
    """SCRAM sends a name first, and a proof when it has the challenge."""

    algorithm: str
    first: ClientFirst

    @classmethod
    def read(cls, algorithm: str, message: bytes) -> _ScramClaim:
        """RFC 5802, section 5."""
        return cls(algorithm, parse_client_first(message))

    @property
    def username(self) -> str:
        return self.first.username

    @property
    def authzid(self) -> str:
        return self.first.authzid

    def answer(self, known: Known, nonce: str) -> _Proof:
        exchange = ServerExchange(self.algorithm, self.first, nonce, known.salt, known.iterations)
        return _Proof(exchange, [each.scram(self.algorithm) for each in known.verifiers])


_MECHANISMS: Mapping[str, Callable[[bytes], _Claim]] = {  # best first
    "SCRAM-SHA-256": partial(_ScramClaim.read, "sha256"),
    "SCRAM-SHA-1": partial(_ScramClaim.read, "sha1"),
    "PLAIN": _PlainClaim.read,
}
_NEED_ENCRYPTION = frozenset(("PLAIN",))


# ------------------------------------------------------------------------------------------------------- machine


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing was sent yet."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An empty challenge asks for the mechanism's first message (RFC 6120, section 6.4.2)."""

    mechanism: str


@dataclass(frozen=True, slots=True)
class Asking:
    """The question which credentials the username has is open."""

    username: str
    claim: _Claim


@dataclass(frozen=True, slots=True)
class Proving:
    """The client has the challenge."""

    proof: _Proof


@dataclass(frozen=True, slots=True)
class Done:
    """The attempt has succeeded or failed."""


State = Fresh | Invited | Asking | Proving | Done


class Input(Enum):
    """What an attempt takes."""

    AUTH = "auth"
    RESPONSE = "response"
    CREDENTIALS = "credentials"


class Negotiation:
    """One attempt to sign in. To abort it (RFC 6120, section 6.4.4), send `Failure("aborted")` and drop it.

    Args:
        is_secure: whether the stream is encrypted.
        host: the domain that the client signs in to.
        random: so many unpredictable bytes.
        secret: keys the salts that unknown usernames are shown.
    """

    def __init__(self, is_secure: bool, host: str, random: Callable[[int], bytes], secret: bytes) -> None:
        self._is_secure = is_secure
        self._host = host
        self._random = random
        self._secret = secret
        self.state: State = Fresh()

    @staticmethod
    def mechanisms(is_secure: bool) -> tuple[str, ...]:
        """The names of the mechanisms to offer, best first."""
        return tuple(name for name in _MECHANISMS if is_secure or name not in _NEED_ENCRYPTION)

    def auth(self, element: Element) -> Step:
        """Take `<auth/>`."""
        return self._take(Input.AUTH, element)

    def response(self, element: Element) -> Step:
        """Take `<response/>`."""
        return self._take(Input.RESPONSE, element)

    def credentials(self, known: Known | None) -> Step:
        """Take the answer to `NeedCredentials`: what is known of the username, or `None`."""
        return self._take(Input.CREDENTIALS, known)

    def _take(self, kind: Input, argument: Element | Known | None) -> Step:
        state, self.state = self.state, Done()  # unless the action says that it goes on
        action = self.TRANSITIONS.get((type(state), kind))
        if action is None:
            return Failure("malformed-request")
        try:
            return action(self, state, argument)
        except (_Refused, ScramError) as error:
            return Failure(error.condition)

    # --------------------------------------------------------------------------------------------------- transitions

    def _on_auth(self, _state: Fresh, element: Element) -> Step:
        mechanism = element.get("mechanism", "")
        if mechanism not in _MECHANISMS:
            return Failure("invalid-mechanism")
        if mechanism not in self.mechanisms(self._is_secure):
            return Failure("encryption-required")
        if not element.text and not len(element):
            self.state = Invited(mechanism)
            return Challenge()
        return self._on_first(Invited(mechanism), element)

    def _on_first(self, state: Invited, element: Element) -> Step:
        claim = _MECHANISMS[state.mechanism](_content(element))
        try:
            username = jid.prepare_local(claim.username)
        except JidMalformed:
            return Failure("not-authorized")  # nobody can have such a name
        if claim.authzid and not self._is_own(username, claim.authzid):
            return Failure("invalid-authzid")
        self.state = Asking(username, claim)
        return NeedCredentials(username, state.mechanism)

    def _is_own(self, username: str, authzid: str) -> bool:
        """Whether the client wants to act as itself (RFC 6120, section 6.3.8)."""
        try:
            return jid.parse(authzid) == jid.parse(f"{username}@{self._host}")
        except JidMalformed:
            return False

    def _on_credentials(self, state: Asking, known: Known | None) -> Step:
        if known is None:  # goes on as with any other, so that nobody can ask which names exist
            known = Known(scram.decoy_salt(self._secret, f"{state.username}@{self._host}"), scram.ITERATIONS_MIN, ())
        if known.is_blocked:  # its sessions are gone, so no password could ever be proved
            return Failure("account-disabled", "The user is blocked by the administrator")
        answer = state.claim.answer(known, self._random(_NONCE_BYTES).hex())
        if not isinstance(answer, _Proof):
            return answer
        self.state = Proving(answer)
        return Challenge(answer.exchange.server_first)

    def _on_proof(self, state: Proving, element: Element) -> Step:
        return state.proof.finish(_content(element))

    TRANSITIONS: ClassVar[Mapping[tuple[type[State], Input], Callable[[Negotiation, Any, Any], Step]]] = {
        (Fresh, Input.AUTH): _on_auth,
        (Invited, Input.RESPONSE): _on_first,
        (Asking, Input.CREDENTIALS): _on_credentials,
        (Proving, Input.RESPONSE): _on_proof,
    }
    """Every input that a state takes; any other fails the attempt."""


def _content(element: Element) -> bytes:
    """What an element carries; a single `=` stands for nothing (RFC 6120, section 6.4.2)."""
    if len(element):
        raise _Refused("malformed-request")
    text = element.text or ""
    try:
        return b"" if text == "=" else decode_base64(text)
    except ValueError:
        raise _Refused("incorrect-encoding") from None
