"""Entity time (XEP-0202)."""

from __future__ import annotations

from heliograph.xmpp.date_time import stamp

NS_TIME = "urn:xmpp:time"
TIME_TAG = f"{{{NS_TIME}}}time"


def time_xml(now: float) -> str:
    """The answer, in UTC (section 2; the form of XEP-0082).

    Args:
        now: seconds since the epoch.
    """
    return f"<time xmlns='{NS_TIME}'><tzo>+00:00</tzo><utc>{stamp(now)}</utc></time>"
