"""Turns the bytes of a stream into events with expat, and bounds what they can cost (RFC 6120, sections 4 and 11).

What XMPP forbids (document types, comments, processing instructions, entities: section 11.1) ends the stream; so do too
many bytes, elements or levels. The bytes scanned for one stanza have a budget, as a tag that arrives in many small
pieces is scanned again with each piece.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.etree.ElementTree import Element, SubElement
from xml.parsers import expat

from heliograph.xmpp.stanza import NS_CLIENT, NS_STREAMS, STANZA_NAMES, Stanza, quote

_STANZA_TAGS = {f"{{{NS_CLIENT}}}{name}": name for name in STANZA_NAMES}
_CANONICAL = {None: NS_CLIENT, "stream": NS_STREAMS}
_SCAN_BUDGET_FACTOR = 64
_RENEW_AFTER_BYTES = 1024 * 1024
_KNOWN_TAGS_MAX = 2048
_HAS_DEFERRAL = hasattr(expat.ParserCreate(), "SetReparseDeferralEnabled")


class StreamError(Exception):
    """A stream must end (RFC 6120, section 4.9).

    Attributes:
        condition: a defined condition of section 4.9.3.
        text: a sentence for a person, or `None`.
        application: an application-specific condition element as XML.
        completed: what the same bytes had completed before they went wrong.
    """

    completed: Sequence[Event] = ()

    def __init__(self, condition: str, text: str | None = None, application: str = "") -> None:
        self.condition = condition
        self.text = text
        self.application = application
        super().__init__(f"{condition}: {text}" if text else condition)


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """The opening tag of a stream, or the `<open/>` of a WebSocket stream: its tag and attributes in Clark notation."""

    tag: str
    attrib: Mapping[str, str]
    default_ns: str | None


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The closing tag of a stream."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one stanza may cost: bytes on the wire, levels of elements, number of elements."""

    max_bytes: int
    max_depth: int
    max_elements: int


Event = StreamHeader | Stanza | Element | StreamEnd


class Reader:
    """One expat parser that turns bytes into events.

    `floor` is the depth at which a stanza begins: 1 inside a stream, 0 where each document is a stanza (RFC 7395).
    """

    __slots__ = (
        "_base",
        "_buffer",
        "_depth",
        "_elements",
        "_floor",
        "_is_portable",
        "_last",
        "_namespaces",
        "_parser",
        "_scanned",
        "_scope_ns",
        "_stack",
        "_start",
        "_text",
        "_total",
        "events",
        "limits",
    )

    _tags: ClassVar[dict[str, str]] = {}

    def __init__(self, limits: Limits, floor: int) -> None:
        self.limits = limits
        self.events: list[Event] = []
        self._floor = floor
        self._namespaces: dict[str | None, str | None] = {}
        self._text: list[str] = []
        self._stack: list[Element] = []
        self._open_parser()

    def _open_parser(self) -> None:
        parser = expat.ParserCreate("utf-8", "}", intern=None)  # type: ignore[call-arg, unused-ignore]
        parser.buffer_text = False
        if _HAS_DEFERRAL:
            parser.SetReparseDeferralEnabled(False)
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self._text.append
        parser.StartNamespaceDeclHandler = self._on_namespace
        parser.StartDoctypeDeclHandler = self._on_restricted
        parser.CommentHandler = self._on_restricted
        parser.ProcessingInstructionHandler = self._on_restricted
        parser.XmlDeclHandler = self._on_declaration
        self._parser = parser
        self._depth = self._elements = self._total = self._base = self._scanned = 0
        self._start = -1
        self._buffer: bytes | bytearray = b""
        self._last: Element | None = None
        self._is_portable = True
        self._scope_ns: str | None = None

    @property
    def is_canonical(self) -> bool:
        """Whether the stream declared the usual namespaces and no other."""
        return self._namespaces == _CANONICAL

    @property
    def is_worn(self) -> bool:
        """Whether the parser has read so much that its name tables should be dropped."""
        return self._total > _RENEW_AFTER_BYTES

    @property
    def is_between(self) -> bool:
        """Whether the reader stands between two stanzas with nothing unread."""
        return self._depth == self._floor and bool(self._parser.CurrentByteIndex == self._total)

    def renew(self) -> None:
        """Change the parser for a new one that stands at the same place: just inside the stream."""
        declared = self._namespaces
        events = self.events
        self.close()
        self._open_parser()
        names = "".join(f" xmlns{':' + p if p else ''}={quote(uri or '')}" for p, uri in declared.items())
        self._namespaces = {}
        self.events = []
        self.feed(f"<stream{names}>".encode())
        self.events = events

    def close(self) -> None:
        """Drop the parser, whose handlers refer to this object."""
        self._parser.StartElementHandler = self._parser.EndElementHandler = None
        self._parser.StartNamespaceDeclHandler = self._parser.StartDoctypeDeclHandler = None
        self._parser.CommentHandler = self._parser.ProcessingInstructionHandler = None
        self._parser.XmlDeclHandler = None

    def feed(self, data: bytes, *, is_final: bool = False) -> None:
        """Parse bytes; what they complete is appended to `events`.

        Raises:
            StreamError: the bytes are not what XMPP allows.
        """
        if not self._buffer:
            self._buffer, self._base = data, self._total
        else:
            if not isinstance(self._buffer, bytearray):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        self._total += len(data)
        try:
            self._parser.Parse(data, is_final)
        except expat.ExpatError as error:
            raise _stream_error(error) from None
        self._account()
        if self._text and self._depth <= self._floor:
            self._drop_whitespace()

    def _account(self) -> None:
        """Keep the bytes of what is unfinished, and charge those that will be scanned again."""
        position = self._parser.CurrentByteIndex
        unread = self._total - position
        keep = self._start if self._start >= 0 else position
        pending = self._total - keep
        if pending > self.limits.max_bytes:
            raise StreamError("policy-violation", f"A stanza has at most {self.limits.max_bytes} bytes")
        if keep > self._base:
            self._buffer, self._base = self._buffer[keep - self._base :], keep
        self._scanned = self._scanned + unread if pending else 0
        if self._scanned > _SCAN_BUDGET_FACTOR * self.limits.max_bytes:
            raise StreamError("policy-violation", "A stanza came in too many small pieces")

    def _drop_whitespace(self) -> None:
        if not "".join(self._text).isspace():
            raise StreamError("bad-format", "Text stands between stanzas")
        self._text.clear()

    def _on_namespace(self, prefix: str | None, uri: str | None) -> None:
        if self._depth < self._floor:
            self._namespaces[prefix] = uri
        elif self._depth == self._floor:
            if prefix is None:
                self._scope_ns = uri
            else:
                self._is_portable = False

    def _on_start(self, name: str, attrib: dict[str, str]) -> None:
        depth = self._depth
        self._depth = depth + 1
        tag = self._tags.get(name) or self._tag(name)
        for key in attrib:
            if "}" in key:
                attrib = {self._tag(key): value for key, value in attrib.items()}
                break
        if depth > self._floor:
            self._elements += 1
            if depth - self._floor >= self.limits.max_depth or self._elements > self.limits.max_elements:
                raise StreamError("policy-violation", "A stanza has too many levels or elements")
            if self._text:
                self._flush_text()
            self._stack.append(SubElement(self._stack[-1], tag, attrib))
            self._last = None
        elif depth == self._floor:
            if self._text:
                self._drop_whitespace()
            self._start = self._parser.CurrentByteIndex
            self._elements = 1
            self._last = None
            self._stack.append(Element(tag, attrib))
        else:
            self.events.append(StreamHeader(tag, attrib, self._namespaces.get(None)))

    def _on_end(self, _name: str) -> None:
        depth = self._depth = self._depth - 1
        if depth < self._floor:
            self.events.append(StreamEnd())
            return
        if self._text:
            self._flush_text()
        element = self._last = self._stack.pop()
        if depth == self._floor:
            self._finish(element)

    def _flush_text(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        if self._last is None:
            self._stack[-1].text = text
        else:
            self._last.tail = text

    def _finish(self, element: Element) -> None:
        """A child of the stream is complete: make it an event."""
        end = self._parser.CurrentByteIndex
        start, self._start = self._start, -1
        if end - start > self.limits.max_bytes:
            raise StreamError("policy-violation", f"A stanza has at most {self.limits.max_bytes} bytes")
        name = _STANZA_TAGS.get(element.tag)
        self.events.append(element if name is None else Stanza(name, element, self._content(name, element, start, end)))
        self._is_portable, self._scope_ns = True, None
        self._scanned = 0

    def _content(self, name: str, element: Element, start: int, end: int) -> bytes | None:
        """The bytes inside a stanza, if they mean the same at any place where `jabber:client` is the default
        namespace.
        """
        if end == start:
            return b""
        scope = self._scope_ns if self._scope_ns is not None else self._namespaces.get(None)
        is_plain = self._is_portable and scope == NS_CLIENT and (self._floor == 0 or self.is_canonical)
        if not is_plain or any(">" in value for value in element.attrib.values()):
            return None
        offset = start - self._base
        inner = self._buffer.index(b">", offset) + 1
        content = bytes(self._buffer[inner : end - self._base])
        return None if b"stream:" in content or not self._buffer.startswith(name.encode(), offset + 1) else content

    @classmethod
    def _tag(cls, name: str) -> str:
        """Clark notation of expat's `namespace}local`; the usual ones are kept."""
        tag = "{" + name if "}" in name else name
        if len(cls._tags) < _KNOWN_TAGS_MAX:
            cls._tags[name] = sys.intern(tag)
        return tag

    def _on_declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() != "utf-8":
            raise StreamError("unsupported-encoding", "Streams are UTF-8")

    def _on_restricted(self, *_: object) -> None:
        raise StreamError("restricted-xml", "Comments, processing instructions and document types are not allowed")


def _stream_error(error: expat.ExpatError) -> StreamError:
    message = expat.ErrorString(error.code)
    if message == expat.errors.XML_ERROR_UNDEFINED_ENTITY:
        return StreamError("restricted-xml", "Only the predefined entities are allowed")
    if message == expat.errors.XML_ERROR_UNBOUND_PREFIX:
        return StreamError("bad-namespace-prefix", "A namespace prefix is not declared")
    if message in (expat.errors.XML_ERROR_UNKNOWN_ENCODING, expat.errors.XML_ERROR_INCORRECT_ENCODING):
        return StreamError("unsupported-encoding", "Streams are UTF-8")
    return StreamError("not-well-formed")
