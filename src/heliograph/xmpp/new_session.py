"""How a user's devices are told that another one was let in, or that its session was ended for the user's safety: a
headline from the account itself (RFC 6121, section 5.2.2) with an element of our own. Only a server speaks for a bare
JID, so no client can forge it.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import Stanza, quote

NS_NEW_SESSION = "urn:heliograph:new-session:1"
NEW_SESSION_TAG = f"{{{NS_NEW_SESSION}}}new-session"
ENDED_SESSION_TAG = f"{{{NS_NEW_SESSION}}}ended-session"
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
    return _headline(account, to, stanza_id, f"<new-session xmlns='{NS_NEW_SESSION}'{_attributes(session)}/>")


def ended_session(account: str, to: str, stanza_id: str, session: Mapping[str, str], reason: str) -> bytes:
    """The message that a session has ended, and why; arguments as for `new_session`."""
    facts = f"{_attributes(session)} reason={quote(reason)}"
    return _headline(account, to, stanza_id, f"<ended-session xmlns='{NS_NEW_SESSION}'{facts}/>")


def _attributes(session: Mapping[str, str]) -> str:
    return "".join(f" {name}={quote(session[name])}" for name in FACTS)


def _headline(account: str, to: str, stanza_id: str, payload: str) -> bytes:
    head = f"<message type='headline' from={quote(account)} to={quote(to)} id={quote(stanza_id)}>"
    return f"{head}{payload}</message>".encode()


def find_new_session(message: Stanza) -> Mapping[str, str] | None:
    """The session that a message tells of; `None` if it tells of none."""
    found: Element | None = message.find(NEW_SESSION_TAG)
    return None if found is None else {name: found.get(name, "") for name in FACTS}


def find_ended_session(message: Stanza) -> tuple[Mapping[str, str], str] | None:
    """The session whose end a message tells of, and why it ended; `None` if it tells of none."""
    found: Element | None = message.find(ENDED_SESSION_TAG)
    if found is None:
        return None
    return {name: found.get(name, "") for name in FACTS}, found.get("reason", "")
