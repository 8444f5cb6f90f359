"""Stanzas and XML text (RFC 6120, sections 8 and 11).

Elements are `xml.etree.ElementTree.Element` with tags in Clark notation, `{namespace}local`. A `Stanza` is one
received `<message/>`, `<presence/>` or `<iq/>`. When it is passed on, only its start tag is written anew; its content
goes out byte for byte as it came in, unless it leans on a namespace prefix that the sender declared outside of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from xml.etree.ElementTree import Element

NS_CLIENT = "jabber:client"
NS_STREAMS = "http://etherx.jabber.org/streams"
NS_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
NS_SESSION = "urn:ietf:params:xml:ns:xmpp-session"
NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
NS_STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
NS_XML = "http://www.w3.org/XML/1998/namespace"

XML_LANG = f"{{{NS_XML}}}lang"
STANZA_NAMES = frozenset(("message", "presence", "iq"))

_SPECIAL_IN_TEXT = re.compile("[&<>\r]")
_SPECIAL_IN_VALUE = re.compile("[&<>'\"\t\n\r]")
_REFERENCES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "'": "&apos;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


def _reference(match: re.Match[str]) -> str:
    return _REFERENCES[match[0]]


def escape(text: str) -> str:
    """Character data, ready to stand between tags."""
    return _SPECIAL_IN_TEXT.sub(_reference, text) if _SPECIAL_IN_TEXT.search(text) else text


def quote(value: str) -> str:
    """An attribute value with its quotes."""
    if _SPECIAL_IN_VALUE.search(value):
        value = _SPECIAL_IN_VALUE.sub(_reference, value)
    return f"'{value}'"


def split_tag(tag: str) -> tuple[str, str]:
    """The namespace (`""` for none) and the local name of a tag in Clark notation."""
    if tag[0] != "{":
        return "", tag
    namespace, _, local = tag[1:].rpartition("}")
    return namespace, local


def _attributes(attrib: dict[str, str]) -> str:
    """Attributes as they stand in a start tag, each behind a space."""
    written = ""
    for number, (key, value) in enumerate(attrib.items()):
        if key[0] != "{":  # nearly all
            written += f" {key}={quote(value)}"
            continue
        namespace, local = split_tag(key)
        if namespace == NS_XML:
            written += f" xml:{local}={quote(value)}"
        else:
            written += f" xmlns:n{number}={quote(namespace)} n{number}:{local}={quote(value)}"
    return written


def serialize(element: Element, default_ns: str = NS_CLIENT) -> str:
    """Write an element (without its tail) as XML that needs no outer prefix.

    Args:
        element: the tree.
        default_ns: the default namespace at the place where the text will stand.
    """
    namespace, local = split_tag(element.tag)
    declaration = "" if namespace == default_ns else f" xmlns={quote(namespace)}"
    start = f"<{local}{declaration}{_attributes(element.attrib)}"
    content = serialize_content(element, namespace)
    return f"{start}>{content}</{local}>" if content else f"{start}/>"


def serialize_content(element: Element, default_ns: str = NS_CLIENT) -> str:
    """Write what stands inside an element, under that default namespace."""
    parts = [escape(element.text)] if element.text else []
    for child in element:
        parts.append(serialize(child, default_ns))
        if child.tail:
            parts.append(escape(child.tail))
    return "".join(parts)


class Template(NamedTuple):
    """A stanza of the server's own, encoded once for all its receivers.

    `prefix`, the quoted JID of a receiver and `suffix` are a whole stanza.
    """

    prefix: bytes
    suffix: bytes

    def to(self, jid: str) -> bytes:
        """The stanza for one receiver."""
        return b"%b%b%b" % (self.prefix, quote(jid).encode(), self.suffix)


class Stanza:
    """One received stanza.

    Attributes:
        name: `message`, `presence` or `iq`.
        element: the whole tree, attributes included; read it, do not change it.
        content: the bytes between start and end tag where they can be forwarded as they came, else `None`.
    """

    __slots__ = ("content", "element", "name")

    def __init__(self, name: str, element: Element, content: bytes | None = None) -> None:
        self.name = name
        self.element = element
        self.content = content

    def get(self, attribute: str) -> str | None:
        """The value of an attribute."""
        return self.element.attrib.get(attribute)

    @property
    def type(self) -> str | None:
        """The `type` attribute."""
        return self.element.attrib.get("type")

    @property
    def id(self) -> str | None:
        """The `id` attribute."""
        return self.element.attrib.get("id")

    @property
    def to(self) -> str | None:
        """The `to` attribute, as the sender wrote it."""
        return self.element.attrib.get("to")

    def child(self) -> Element | None:
        """The first child element, which for an IQ of type get or set is its payload (RFC 6120, section 8.2.3)."""
        return self.element[0] if len(self.element) else None

    def find(self, tag: str) -> Element | None:
        """The first child element of that tag."""
        return self.element.find(tag)

    def inner(self) -> bytes:
        """What stands between the tags, good at any place where `jabber:client` is the default namespace."""
        return serialize_content(self.element).encode() if self.content is None else self.content

    def encode(self, sender: str, to: str | None = None, lang: str | None = None) -> bytes:
        """The stanza as it is passed on: `from` is the true sender, the content is the same.

        Whatever a client wrote in `from` is overwritten, as RFC 6120 demands (section 8.1.2.1, rule 1: a server MUST
        add or override it). `invalid-from` (section 4.9.3.9) may end a stream that claims another's address, and need
        not: many a client writes its bare JID, or a resource that it did not get, and nobody is deceived.

        Args:
            sender: the full or bare JID to stand in `from`.
            to: the JID to stand in `to`; `None` keeps what the sender wrote.
            lang: the language of the sender's stream, for a stanza that names none (section 8.1.5).
        """
        attrib = dict(self.element.attrib)
        attrib["from"] = sender
        if to is not None:
            attrib["to"] = to
        if lang is not None and XML_LANG not in attrib:
            attrib[XML_LANG] = lang
        start = f"<{self.name}{_attributes(attrib)}"
        content = self.inner()
        if not content:
            return f"{start}/>".encode()
        return b"%b>%b</%b>" % (start.encode(), content, self.name.encode())


def without(message: Stanza, mark: bytes, is_unwanted: Callable[[Element], bool]) -> Stanza:
    """The message without some of its children; the message itself where it has none of them.

    Args:
        message: as a client sent it.
        mark: what stands in the bytes of every such child.
        is_unwanted: whether a child is to go.
    """
    if message.content is not None and mark not in message.content:
        return message
    wanted = [each for each in message.element if not is_unwanted(each)]
    if len(wanted) == len(message.element):
        return message
    element = Element(message.element.tag, message.element.attrib)
    element.text = message.element.text
    element.extend(wanted)
    return Stanza(message.name, element)


def with_child(message: bytes, child: bytes) -> bytes:
    """A message, encoded for TCP, with one more child at its end."""
    end = b"</message>"
    if message.endswith(end):
        return b"%b%b%b" % (message[: -len(end)], child, end)
    return b"%b>%b%b" % (message.removesuffix(b"/>"), child, end)


def _reply_start(request: Stanza, kind: str) -> str:
    """The start of an answer: same name and id, sent from where the request was sent to."""
    identity = "" if request.id is None else f" id={quote(request.id)}"
    origin = "" if request.to is None else f" from={quote(request.to)}"
    return f"<{request.name} type='{kind}'{identity}{origin}"


def iq_result(request: Stanza, to: str, payload: str = "") -> bytes:
    """The successful answer to an IQ.

    Args:
        request: the IQ of type get or set.
        to: the full JID that asked.
        payload: XML to stand inside, or nothing.
    """
    start = f"{_reply_start(request, 'result')} to={quote(to)}"
    return (f"{start}>{payload}</iq>" if payload else f"{start}/>").encode()


def error_xml(kind: str, condition: str, text: str | None = None, application: str = "") -> str:
    """An `<error/>` element (RFC 6120, section 8.3.2).

    Args:
        kind: `auth`, `cancel`, `continue`, `modify` or `wait`.
        condition: a defined condition of section 8.3.3.
        text: a sentence for a person.
        application: an application-specific condition element as XML.
    """
    said = f"<text xmlns='{NS_STANZAS}'>{escape(text)}</text>" if text else ""
    return f"<error type='{kind}'><{condition} xmlns='{NS_STANZAS}'/>{said}{application}</error>"


def stanza_error(
    request: Stanza, to: str, kind: str, condition: str, text: str | None = None, application: str = ""
) -> bytes | None:
    """The error answer to a stanza, or `None` where none may be sent: to an error or a result (RFC 6120, section
    8.3.1).
    """
    if request.type in ("error", "result"):
        return None
    start = f"{_reply_start(request, 'error')} to={quote(to)}"
    return f"{start}>{error_xml(kind, condition, text, application)}</{request.name}>".encode()
