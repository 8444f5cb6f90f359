"""Last activity (XEP-0012): how long ago an account was last there, or for how long a server is up."""

from __future__ import annotations

from heliograph.xmpp.stanza import escape

NS_LAST = "jabber:iq:last"
LAST_TAG = f"{{{NS_LAST}}}query"


def last_xml(seconds: float, status: str = "") -> str:
    """The answer (sections 3 to 5): whole seconds, never less than none, and the status of the last unavailable
    presence of a user who is not there.
    """
    start = f"<query xmlns='{NS_LAST}' seconds='{max(0, int(seconds))}'"
    return f"{start}>{escape(status)}</query>" if status else f"{start}/>"
