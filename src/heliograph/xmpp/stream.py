"""Reading XML streams (RFC 6120, sections 4 and 11) and framed documents (RFC 7395), with bounds on what a sender can
cost.

Expat does the parsing (`xml_reader`). A tag that arrives in many small pieces would be scanned again with each piece:
bytes that cannot complete anything are held back.

An idle stream holds no parser. Readers whose stream uses the usual namespaces go back to a pool whenever they stand
between two stanzas, which also bounds what expat remembers of the names that one sender has used. In such a stream
elements of the plainest form need no parser (`plain`), nor does a header that has come before.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from heliograph.xmpp import plain
from heliograph.xmpp.stanza import NS_CLIENT, NS_STREAMS, Stanza
from heliograph.xmpp.xml_reader import Event, Limits, Reader, StreamEnd, StreamError, StreamHeader

__all__ = [
    "Event",
    "Limits",
    "ReaderPool",
    "StreamEnd",
    "StreamError",
    "StreamHeader",
    "StreamParser",
    "is_header",
    "is_one_element",
    "parse_document",
]

_BEGINNING = re.compile(rb"(?:\xef(?:\xbb(?:\xbf)?)?)?\s*(?:<|\Z)")
_START_TAG = re.compile(rb"<([a-z]+)[ >]")
_WHITE_SPACE = b" \t\r\n"
_END = b"</stream:stream>"
_KNOWN_HEADERS_MAX = 256
_KNOWN_HEADER_MAX_BYTES = 512


class ReaderPool:
    """What streams with the usual namespaces share: readers that stand between two stanzas, for the next stream with
    bytes to read, and headers, which clients of one kind write alike.
    """

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._readers: list[Reader] = []
        self.headers: dict[bytes, StreamHeader] = {}

    def keep_header(self, data: bytes, header: StreamHeader) -> None:
        """Keep what a header says by its bytes; the oldest makes room."""
        if len(self.headers) >= _KNOWN_HEADERS_MAX:
            del self.headers[next(iter(self.headers))]
        self.headers[data] = header

    def take(self, limits: Limits) -> Reader:
        """A reader that stands just inside a stream."""
        if self._readers:
            reader = self._readers.pop()
            reader.limits = limits
            return reader
        reader = Reader(limits, floor=1)
        reader.feed(f"<stream:stream xmlns='{NS_CLIENT}' xmlns:stream='{NS_STREAMS}'>".encode())
        return reader

    def give(self, reader: Reader) -> None:
        """Take a reader back."""
        if len(self._readers) < self._size and not reader.is_worn:
            self._readers.append(reader)
        else:
            reader.close()


class StreamParser:
    """Reads one XML stream: `feed` bytes, get events.

    Args:
        limits: what one stanza may cost; may be changed between two calls.
        pool: where idle readers rest; shared by all streams of a server.
    """

    __slots__ = ("_held", "_held_bytes", "_is_fresh", "_is_over", "_pool", "_reader", "limits")

    def __init__(self, limits: Limits, pool: ReaderPool) -> None:
        self.limits = limits
        self._pool = pool
        self._reader: Reader | None = None
        self._is_fresh = True
        self._is_over = False
        self._held: list[bytes] = []
        self._held_bytes = 0

    def feed(self, data: bytes) -> list[Event]:
        """Parse bytes as they came from the wire, in pieces of any size; return what they complete.

        Raises:
            StreamError: the bytes are not what XMPP allows; the parser must not be fed again.
        """
        if b">" not in data:  # nothing can be complete without it
            return self._hold(data)
        if self._held:
            data = b"".join((*self._held, data))
            self._held.clear()
            self._held_bytes = 0
        if self._is_fresh:
            return self._open(data)
        if self._reader is not None:
            return self._parse(self._reader, data, [])
        if self._is_over:
            raise StreamError("not-well-formed")
        events, rest = self._read_plain(data)
        if not rest:
            return events
        if b">" in rest:
            return self._parse(self._pool.take(self.limits), rest, events)
        try:
            self._hold(rest)
        except StreamError as error:
            error.completed = events
            raise
        return events

    def _open(self, data: bytes) -> list[Event]:
        """The header of the stream, or the first part of it."""
        self._is_fresh = False
        data = data.lstrip(_WHITE_SPACE)  # what stands before an XML declaration ended a line of the stream before
        known = self._pool.headers.get(data)
        if known is not None:
            return [known]
        events = self._parse(Reader(self.limits, floor=1), data, [])
        if self._reader is None and len(events) == 1 and len(data) <= _KNOWN_HEADER_MAX_BYTES:
            (header,) = events
            if isinstance(header, StreamHeader):
                self._pool.keep_header(data, header)
        return events

    def _read_plain(self, data: bytes) -> tuple[list[Event], bytes]:
        """The plain elements with which bytes between two stanzas begin, and the rest."""
        events: list[Event] = []
        limits = self.limits
        if data == _END:
            self._is_over = True
            return [StreamEnd()], b""
        if len(data) > limits.max_bytes or limits.max_depth < plain.LEVELS_MAX:
            return events, data
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return events, data
        at = 0
        while found := plain.read(text, at):
            event, end = found
            if text.count("<", at, end) > limits.max_elements:  # the parser counts better
                break
            events.append(event)
            at = end
            if at == len(text):
                return events, b""
        return events, text[at:].encode() if at else data

    def _parse(self, reader: Reader, data: bytes, events: list[Event]) -> list[Event]:
        """Let a reader go on, behind what was read before."""
        reader.limits = self.limits
        reader.events = events
        self._reader = reader
        try:
            reader.feed(data)
        except StreamError as error:
            error.completed = events
            raise
        if reader.is_between:
            self._rest(reader)
        return events

    def _hold(self, data: bytes) -> list[Event]:
        """Keep bytes that cannot complete anything, if they can be a beginning."""
        if self._is_fresh:
            if not _BEGINNING.match(b"".join((*self._held, data))):
                raise StreamError("not-well-formed", "This is no XML")  # such as TLS or HTTP, whose speaker waits
        elif self._reader is None and not self._held:
            if data.isspace():  # keep-alive (RFC 6120, section 4.6.1)
                return []
            if not _BEGINNING.match(data):
                raise StreamError("bad-format", "Text stands between stanzas")
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > self.limits.max_bytes:
            raise StreamError("policy-violation", f"A stanza has at most {self.limits.max_bytes} bytes")
        return []

    def _rest(self, reader: Reader) -> None:
        if reader.is_canonical:
            self._pool.give(reader)
            self._reader = None
        elif reader.is_worn:
            reader.renew()

    def close(self) -> None:
        """Let go of the parser."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._held.clear()


def is_header(data: bytes) -> bool:
    """Whether bytes that begin a stream are one tag, behind an XML declaration or not: nothing is complete before their
    end.
    """
    return data.endswith(b">") and data.count(b">") == 1 + data.startswith(b"<?xml ")


def is_one_element(data: bytes) -> bool:
    """Whether bytes inside a stream begin with a start tag and end with the one end tag that fits: then nothing that is
    well-formed is complete before their end.
    """
    match = _START_TAG.match(data)
    if match is None:
        return False
    name = match[1]
    end = b"</" + name + b">"
    return data.endswith(end) and data.count(end) == 1 and data.count(b"<" + name) == 1


def parse_document(data: bytes, limits: Limits) -> Stanza | Element:
    """Parse one whole document, as each WebSocket message is one (RFC 7395, section 3.3.3).

    Raises:
        StreamError: it is not one well-formed element within the limits.
    """
    if len(data) > limits.max_bytes:
        raise StreamError("policy-violation", f"A stanza has at most {limits.max_bytes} bytes")
    if limits.max_depth >= plain.LEVELS_MAX and data.count(b"<") <= limits.max_elements:
        found = _plain_document(data)
        if found is not None:
            return found
    reader = Reader(limits, floor=0)
    try:
        reader.feed(data, is_final=True)
        event = reader.events[0]
    finally:
        reader.close()
    if isinstance(event, (StreamHeader, StreamEnd)):
        raise StreamError("not-well-formed")
    return event


def _plain_document(data: bytes) -> Stanza | Element | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    found = plain.read(text, default_ns="")
    return found[0] if found is not None and found[1] == len(text) else None
