"""How a user's devices are told that another one was let in: a headline from the account itself (RFC 6121, section
5.2.2) with an element of our own. Only a server speaks for a bare JID, so no client can forge it.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import Stanza, quote

NS_NEW_SESSION = "urn:heliograph:new-session:1"
NEW_SESSION_TAG = f"{{{NS_NEW_SESSION}}}new-session"
FACTS = ("id", "device", "browser", "os", "ip", "createdAt", "via")
"""What is told of the session: the public form of a session, without what changes."""


def new_session(account: str, to: str, stanza_id: str, session: Mapping[str, str]) -> bytes:
    """The message for one connection.

    Args:
        account: the user's bare JID, which sends it.
        to: the full JID of the connection.
        stanza_id: the message's id.
        session: the session's `FACTS`.
    """
    facts = "".join(f" {name}={quote(session[name])}" for name in FACTS)
    return (
        f"<message type='headline' from={quote(account)} to={quote(to)} id={quote(stanza_id)}>"
        f"<new-session xmlns='{NS_NEW_SESSION}'{facts}/></message>"
    ).encode()


def find_new_session(message: Stanza) -> Mapping[str, str] | None:
    """The session that a message tells of; `None` if it tells of none."""
    found: Element | None = message.find(NEW_SESSION_TAG)
    return None if found is None else {name: found.get(name, "") for name in FACTS}
