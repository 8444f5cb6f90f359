"""Last activity (XEP-0012): how long ago an account was last there, or for how long a server is up."""

from __future__ import annotations

NS_LAST = "jabber:iq:last"
LAST_TAG = f"{{{NS_LAST}}}query"


def last_xml(seconds: float) -> str:
    """The answer (sections 3 and 5): whole seconds, never less than none."""
    return f"<query xmlns='{NS_LAST}' seconds='{max(0, int(seconds))}'/>"
