"""The other side of a server: a service that connects to it with a secret, answers requests that the server passes on,
and may speak for its users.

The server grants what it grants in a message of its own; the namespaces have had several versions, so an answer takes
the one that was heard.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from heliograph.xmpp.forwarding import FORWARDED_TAG, forwarded
from heliograph.xmpp.stanza import NS_CLIENT, NS_STREAMS, STANZA_NAMES, Stanza, quote, split_tag

NS_COMPONENT = "jabber:component:accept"
DELEGATION_NAMESPACES = ("urn:xmpp:delegation:1", "urn:xmpp:delegation:2")
PRIVILEGE_NAMESPACES = ("urn:xmpp:privilege:1", "urn:xmpp:privilege:2")

HANDSHAKE_TAG = f"{{{NS_COMPONENT}}}handshake"


def header(name: str) -> bytes:
    """The opening tag of the stream (XEP-0114, section 3).

    Args:
        name: the component's domain.
    """
    return (
        f"<?xml version='1.0'?><stream:stream xmlns='{NS_COMPONENT}' xmlns:stream='{NS_STREAMS}' to={quote(name)}>"
    ).encode()


def handshake(stream_id: str, secret: str) -> bytes:
    """The proof that this side knows the secret (XEP-0114, section 3)."""
    digest = hashlib.sha1((stream_id + secret).encode()).hexdigest()  # noqa: S324 - the protocol says so
    return f"<handshake>{digest}</handshake>".encode()


def as_stanza(element: Element) -> Stanza | None:
    """A stanza of the component's stream, as one of a client's; `None` if it is something else."""
    namespace, name = split_tag(element.tag)
    if namespace != NS_COMPONENT or name not in STANZA_NAMES:
        return None
    return Stanza(name, _translated(element))


def _translated(element: Element) -> Element:
    namespace, name = split_tag(element.tag)
    tag = f"{{{NS_CLIENT}}}{name}" if namespace == NS_COMPONENT else element.tag
    copied = Element(tag, element.attrib)
    copied.text, copied.tail = element.text, element.tail
    copied.extend(map(_translated, element))
    return copied


def without_receiver(stanza: Stanza) -> Stanza:
    """A stanza as its sender wrote it to nobody in particular."""
    element = Element(stanza.element.tag, {name: value for name, value in stanza.element.items() if name != "to"})
    element.text = stanza.element.text
    element.extend(stanza.element)
    return Stanza(stanza.name, element)


@dataclass(frozen=True, slots=True)
class Delegated:
    """A user's request that the server lets the component answer.

    Attributes:
        envelope: what the server sent.
        namespace: the version that it spoke.
        request: the user's own stanza, with `from` and `to`.
    """

    envelope: Stanza
    namespace: str
    request: Stanza


def find_delegated(stanza: Stanza) -> Delegated | None:
    """The request in a stanza of the server (XEP-0355, section 4.2)."""
    payload = stanza.child()
    if stanza.name != "iq" or stanza.type != "set" or payload is None:
        return None
    namespace, name = split_tag(payload.tag)
    request = payload.find(f"{FORWARDED_TAG}/{{{NS_CLIENT}}}iq")
    if name != "delegation" or namespace not in DELEGATION_NAMESPACES or request is None:
        return None
    return Delegated(stanza, namespace, Stanza("iq", request))


def delegated_answer(delegated: Delegated, answer: bytes) -> bytes:
    """The answer to a user's request, on its way through the server (XEP-0355, section 4.2).

    Args:
        delegated: the request.
        answer: an IQ, encoded for a client's stream.
    """
    envelope = delegated.envelope
    names = f"id={quote(envelope.id or '')} from={quote(envelope.to or '')} to={quote(envelope.get('from') or '')}"
    payload = f"<delegation xmlns='{delegated.namespace}'>{forwarded(answer).decode()}</delegation>"
    return f"<iq type='result' {names}>{payload}</iq>".encode()


def find_privilege(stanza: Stanza) -> str | None:
    """The namespace in which a server says what the component may do (XEP-0356, section 4); `None` if it does not."""
    for namespace in PRIVILEGE_NAMESPACES:
        if stanza.find(f"{{{namespace}}}privilege") is not None:
            return namespace
    return None


def privileged(message: bytes, component: str, server: str, namespace: str) -> bytes:
    """A message in the name of a user, for the server to send (XEP-0356, section 5).

    Args:
        message: from a bare JID of that server, encoded for a client's stream.
        component: its domain.
        server: the domain of the user.
        namespace: the version in which the server has granted it.
    """
    payload = f"<privilege xmlns='{namespace}'>{forwarded(message).decode()}</privilege>"
    return f"<message from={quote(component)} to={quote(server)}>{payload}</message>".encode()
