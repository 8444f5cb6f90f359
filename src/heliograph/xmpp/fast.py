"""FAST: a client that has signed in gets a token, and signs in with that next time, in one round trip (XEP-0484)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from heliograph.xmpp.sasl_claims import Refused
from heliograph.xmpp.stanza import quote

NS_FAST = "urn:xmpp:fast:0"
USE_TAG = f"{{{NS_FAST}}}fast"
REQUEST_TAG = f"{{{NS_FAST}}}request-token"

_COUNT_MAX = 2**31 - 1  # section 10: the schema says xs:int


@dataclass(frozen=True, slots=True)
class TokenUse:
    """The client brings a token (section 3.4).

    Attributes:
        count: grows with each use of a token, so that a sign-in that was recorded cannot be played again.
        is_last: whether the token is to be worth nothing from now on (section 3.6).
    """

    count: int | None = None
    is_last: bool = False


def parse_use(element: Element) -> TokenUse:
    """Read `<fast/>`.

    Raises:
        Refused: the count is no positive number.
    """
    text = element.get("count")
    count = None
    if text is not None:
        count = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
        if not 0 < count <= _COUNT_MAX:
            raise Refused("malformed-request", "The count of a token's uses is a positive number")
    return TokenUse(count, element.get("invalidate") in ("true", "1"))


def feature(mechanisms: Iterable[str]) -> str:
    """How it is announced (section 3.1)."""
    return f"<fast xmlns='{NS_FAST}'>{''.join(f'<mechanism>{name}</mechanism>' for name in mechanisms)}</fast>"


def token(text: str, expiry: str) -> str:
    """A new token for the client (section 3.3).

    Args:
        text: the token.
        expiry: when it ends, in ISO 8601 and UTC.
    """
    return f"<token xmlns='{NS_FAST}' expiry={quote(expiry)} token={quote(text)}/>"
