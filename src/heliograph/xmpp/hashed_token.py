"""Hashed Token: signing in with a token of an earlier sign-in, in one message (draft-schmaus-kitten-sasl-ht-09), as
XEP-0484 uses it. Both sides show that they hold the token, and neither sends it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from heliograph.xmpp.sasl_claims import (
    Answer,
    Beginning,
    Hints,
    Offer,
    Proved,
    Refused,
    Token,
    Tokens,
    TokensWanted,
    local,
)


def initiator_hash(token: str, binding: bytes) -> bytes:
    """What a client shows of a token (section 3.1).

    Args:
        token: the token.
        binding: the data of the channel binding; empty for `NONE`.
    """
    return hmac.digest(token.encode(), b"Initiator" + binding, "sha256")


def responder_hash(token: str, binding: bytes) -> bytes:
    """What a server shows of it in turn (section 3.2)."""
    return hmac.digest(token.encode(), b"Responder" + binding, "sha256")


@dataclass(frozen=True, slots=True)
class HashedTokenClaim:
    """The client shows who it is, and the hash of a token."""

    username: str
    hash: bytes = field(repr=False)
    binding: bytes

    authzid = ""  # the mechanism has none

    @classmethod
    def read(cls, is_bound: bool, message: bytes, offer: Offer) -> HashedTokenClaim:
        """Section 3.1.

        Raises:
            Refused: it is malformed.
        """
        username, separator, shown = message.partition(b"\0")
        if not username or not separator:
            raise Refused("malformed-request")
        binding = offer.binding.data if is_bound and offer.binding is not None else b""
        try:
            return cls(username.decode(), shown, binding)
        except UnicodeDecodeError:
            raise Refused("malformed-request") from None

    def question(self, host: str, mechanism: str, hints: Hints) -> TokensWanted:
        """Which tokens the client has; one that does not say which installation it is has none (XEP-0484, 4.1)."""
        if hints.client is None:
            raise Refused("malformed-request", "A token is for one installation, whose id is missing")
        return TokensWanted(local(self.username), host, hints.client, mechanism)

    def answer(self, found: Answer | None, begin: Beginning) -> Proved:
        """Find the token; all are tried, so that the time does not tell which it was."""
        tokens = found.tokens if isinstance(found, Tokens) else ()
        fitting = [token for token in (*tokens, _DECOY) if self._fits(token)]
        if not fitting or fitting[0] is _DECOY:
            raise Refused("not-authorized")
        token = fitting[0]
        if token.is_expired:
            raise Refused("credentials-expired")  # XEP-0484, section 4.2
        return Proved(begin.username, token.session_id, responder_hash(token.text, self.binding), token.name)

    def _fits(self, token: Token) -> bool:
        return hmac.compare_digest(self.hash, initiator_hash(token.text, self.binding))


_DECOY = Token("", "", "")
"""Without a token a sign-in costs one hash as well."""
