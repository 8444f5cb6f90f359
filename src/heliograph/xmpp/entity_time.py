"""Entity time (XEP-0202)."""

from __future__ import annotations

from datetime import UTC, datetime

NS_TIME = "urn:xmpp:time"
TIME_TAG = f"{{{NS_TIME}}}time"


def time_xml(now: float) -> str:
    """The answer, in UTC (section 2; the form of XEP-0082).

    Args:
        now: seconds since the epoch.
    """
    utc = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"<time xmlns='{NS_TIME}'><tzo>+00:00</tzo><utc>{utc}</utc></time>"
