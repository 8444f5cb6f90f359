"""Times as the public bodies tell them; XMPP's own forms stand in `xmpp.date_time`."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(time_s: float) -> str:
    """A time as ISO 8601 in UTC, to the millisecond: `2026-01-31T12:00:00.000Z`.

    Args:
        time_s: seconds since the epoch.
    """
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def optional_iso(time_s: float | None) -> str | None:
    """The same of a time that there may not be."""
    return None if time_s is None else iso(time_s)
