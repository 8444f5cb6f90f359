"""OAUTHBEARER: signing in with an access token (RFC 7628)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from heliograph.xmpp.sasl_claims import (
    Answer,
    Bearer,
    BearerWanted,
    Beginning,
    Hints,
    Offer,
    Proved,
    Refused,
    check_authzid,
)

_SASLNAME = r"(?:[^,=\0\1]|=2C|=3D)+"
_MESSAGE = re.compile(  # section 3.1
    rf"[ny],(?:a=(?P<authzid>{_SASLNAME}))?,\x01(?P<pairs>(?:[A-Za-z]+=[\x20-\x7e\t\r\n]*\x01)*)\x01"
)
_AUTH = re.compile(r"auth=bearer +(?P<token>[A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750, section 2.1
_ERROR = b'{"status":"invalid_token"}'  # section 3.2.2; RFC 6750, section 3.1 gives one word to all that is wrong


@dataclass(frozen=True, slots=True)
class BearerClaim:
    """The client shows a token, and may say whose it is."""

    authzid: str
    token: str = field(repr=False)

    @classmethod
    def read(cls, message: bytes, _offer: Offer) -> BearerClaim:
        """Section 3.1.

        Raises:
            Refused: it is malformed, or brings something else than one bearer token.
        """
        try:
            match = _MESSAGE.fullmatch(message.decode())
        except UnicodeDecodeError:
            match = None
        if match is None:
            raise Refused("malformed-request")
        pairs = [pair for pair in match["pairs"].split("\1") if pair.lower().startswith("auth=")]
        auth = _AUTH.fullmatch(pairs[0]) if len(pairs) == 1 else None
        if auth is None:
            raise Refused("malformed-request")
        authzid = (match["authzid"] or "").replace("=2C", ",").replace("=3D", "=")
        return cls(authzid, auth["token"])

    def question(self, host: str, _mechanism: str, _hints: Hints) -> BearerWanted:
        """Whose token it is."""
        return BearerWanted(self.token, host)

    def answer(self, found: Answer | None, begin: Beginning) -> Proved | BearerRefusal:
        """The token proves the client, or the client is told what is wrong with it before the attempt fails."""
        if not isinstance(found, Bearer):
            return BearerRefusal("not-authorized")
        if found.is_expired:
            return BearerRefusal("credentials-expired")
        check_authzid(self.authzid, found.username, begin.host)
        return Proved(found.username, found.session_id)


@dataclass(frozen=True, slots=True)
class BearerRefusal:
    """The challenge tells an error; whatever the client answers, the attempt fails (section 3.2.3)."""

    condition: str

    @property
    def challenge(self) -> bytes:
        """The error as JSON."""
        return _ERROR

    def finish(self, _message: bytes) -> Proved:
        """Fail, as was said."""
        raise Refused(self.condition)
