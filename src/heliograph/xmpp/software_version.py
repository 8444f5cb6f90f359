"""Software version (XEP-0092): name and version, and nothing of the machine."""

from __future__ import annotations

from heliograph.xmpp.stanza import escape

NS_VERSION = "jabber:iq:version"
VERSION_TAG = f"{{{NS_VERSION}}}query"


def version_xml(name: str, version: str) -> str:
    """The answer (section 2); the operating system is left out, as it may be (section 3)."""
    parts = f"<name>{escape(name)}</name><version>{escape(version)}</version>"
    return f"<query xmlns='{NS_VERSION}'>{parts}</query>"
