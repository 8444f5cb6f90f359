"""The mechanisms that are spoken here: PLAIN (RFC 4616), SCRAM (RFC 5802, RFC 7677) with and without channel binding,
OAUTHBEARER (RFC 7628), and Hashed Token for tokens of an earlier sign-in (XEP-0484).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from heliograph.xmpp.hashed_token import HashedTokenClaim
from heliograph.xmpp.oauth_bearer import BearerClaim
from heliograph.xmpp.sasl_claims import (
    Answer,
    Beginning,
    Claim,
    CredentialsWanted,
    Hints,
    Known,
    Offer,
    Proved,
    Refused,
    check_authzid,
    decoy,
    local,
)
from heliograph.xmpp.scram import ChannelBinding, ClientFirst, ServerExchange, parse_client_first


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

    def question(self, host: str, mechanism: str, _hints: Hints) -> CredentialsWanted:
        return _credentials(self.username, self.authzid, host, mechanism)

    def answer(self, found: Answer | None, begin: Beginning) -> Proved:
        # All are compared, so that the time does not tell which session it was.
        verifiers = _known(found, begin).verifiers
        fitting = [each for each in verifiers if hmac.compare_digest(each.sha256, self.sha256)]
        if not fitting:
            raise Refused("not-authorized")
        return Proved(begin.username, fitting[0].session_id)


@dataclass(slots=True)
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

    def question(self, host: str, mechanism: str, _hints: Hints) -> CredentialsWanted:
        return _credentials(self.first.username, self.authzid, host, mechanism)

    def answer(self, found: Answer | None, begin: Beginning) -> _ScramProof:
        known = _known(found, begin)
        digest = begin.offer.digest(self.algorithm)
        exchange = ServerExchange(
            self.algorithm, self.first, begin.nonce, known.salt, known.iterations, self.binding, digest
        )
        return _ScramProof(begin.username, exchange, [each.scram(self.algorithm) for each in known.verifiers])


@dataclass(slots=True)
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


def _credentials(username: str, authzid: str, host: str, mechanism: str) -> CredentialsWanted:
    prepared = local(username)
    check_authzid(authzid, prepared, host)
    return CredentialsWanted(prepared, host, mechanism)


def _known(found: Answer | None, begin: Beginning) -> Known:
    """What is known of a username, or a decoy; a blocked user is told so.

    Raises:
        Refused: the user is blocked. Its sessions are gone, so no password could ever be proved.
    """
    if not isinstance(found, Known):
        return decoy(begin.secret, f"{begin.username}@{begin.host}")
    if found.is_blocked:
        raise Refused("account-disabled", "The user is blocked by the administrator")
    return found


# ---------------------------------------------------------------------------------------------------------- the list

_MECHANISMS: Mapping[str, Callable[[bytes, Offer], Claim]] = {  # best first
    "SCRAM-SHA-256-PLUS": partial(_ScramClaim.read, "sha256", True),
    "SCRAM-SHA-1-PLUS": partial(_ScramClaim.read, "sha1", True),
    "SCRAM-SHA-256": partial(_ScramClaim.read, "sha256", False),
    "SCRAM-SHA-1": partial(_ScramClaim.read, "sha1", False),
    "PLAIN": _PlainClaim.read,
    "OAUTHBEARER": BearerClaim.read,
}
_TOKEN_MECHANISMS: Mapping[str, Callable[[bytes, Offer], Claim]] = {
    "HT-SHA-256-ENDP": partial(HashedTokenClaim.read, True),
    "HT-SHA-256-NONE": partial(HashedTokenClaim.read, False),
}
_READERS = {**_MECHANISMS, **_TOKEN_MECHANISMS}
_BOUND = frozenset(("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "HT-SHA-256-ENDP"))
_NEED_ENCRYPTION = frozenset(("PLAIN", "OAUTHBEARER", *_TOKEN_MECHANISMS))


@cache  # there are as many as certificates and one more, and each stream asks
def offer(*, is_secure: bool, binding: ChannelBinding | None = None) -> Offer:
    """What a stream offers: channel binding where there is some, and what shows a secret on encrypted streams alone."""

    def offered(names: Mapping[str, object]) -> tuple[str, ...]:
        return tuple(
            name
            for name in names
            if (binding is not None or name not in _BOUND) and (is_secure or name not in _NEED_ENCRYPTION)
        )

    return Offer(is_secure, binding, offered(_MECHANISMS), offered(_TOKEN_MECHANISMS))


def check_mechanism(mechanism: str, offered: Offer, hints: Hints) -> None:
    """Take a mechanism that the stream offers; one for tokens, if the client says that it brings a token.

    Raises:
        Refused: `invalid-mechanism`, or `encryption-required` where it would be offered on a secure stream.
    """
    if mechanism in offered.mechanisms or (hints.has_token and mechanism in offered.token_mechanisms):
        return
    is_hidden = mechanism in _NEED_ENCRYPTION and not offered.is_secure
    raise Refused("encryption-required" if is_hidden else "invalid-mechanism")


def read_claim(mechanism: str, message: bytes, offered: Offer) -> Claim:
    """The claim that a mechanism's first message makes.

    Raises:
        Refused, ScramError: it is malformed, or does not fit the offer.
    """
    return _READERS[mechanism](message, offered)
