"""Points in time as text (XEP-0082, section 3.2)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from heliograph.xmpp.stanza_error import bad_request

_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def stamp(seconds: float) -> str:
    """A time in UTC, to the second.

    Args:
        seconds: since the epoch.
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_us(microseconds: int) -> str:
    """A time in UTC, to the microsecond.

    Args:
        microseconds: since the epoch.
    """
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06}Z"


def parse_us(text: str) -> int:
    """The microseconds since the epoch; smaller parts are cut off.

    Raises:
        StanzaError: it is no point in time.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise bad_request("A time looks like 2026-01-31T23:59:59Z")
    whole, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(whole + zone.replace("Z", "+00:00"))
        seconds = round(moment.timestamp())
    except (ValueError, OverflowError):
        raise bad_request("There is no such time") from None
    return seconds * 1_000_000 + int((fraction or "")[:6].ljust(6, "0"))
