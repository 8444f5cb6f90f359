"""How a stream stands on its transport: TCP (RFC 6120, section 4) or WebSocket (RFC 7395, section 3).

Both framings offer the same verbs. Stanzas are encoded for TCP, once for all receivers; WebSocket adds to each what
its documents need to stand alone.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import NS_CLIENT, NS_FRAMING, NS_STREAMS
from heliograph.xmpp.stream import Event, Limits, ReaderPool, StreamEnd, StreamHeader, StreamParser, parse_document

_OPEN_TAG = f"{{{NS_FRAMING}}}open"
_CLOSE_TAG = f"{{{NS_FRAMING}}}close"
STREAM_TAG = f"{{{NS_STREAMS}}}stream"


def as_document(data: bytes) -> bytes:
    """A stanza, encoded for TCP, with `jabber:client` declared on it (RFC 7395, section 3.3.3); anything else brings
    its own namespace.
    """
    for name in (b"<message", b"<presence", b"<iq"):
        if data.startswith(name):
            return b"%b xmlns='jabber:client'%b" % (name, data[len(name) :])
    return data


_HEADER = f"<?xml version='1.0'?><stream:stream xmlns='{NS_CLIENT}' xmlns:stream='{NS_STREAMS}'"


class TcpFraming:
    """One long XML document for each direction."""

    is_document_per_message = False

    def __init__(self, limits: Limits, pool: ReaderPool) -> None:
        self._pool = pool
        self._parser = StreamParser(limits, pool)

    @property
    def limits(self) -> Limits:
        """What one stanza may cost from now on."""
        return self._parser.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._parser.limits = limits

    def restart(self) -> None:
        """Expect a new stream header (RFC 6120, section 4.3.3)."""
        limits = self._parser.limits
        self._parser.close()
        self._parser = StreamParser(limits, self._pool)

    def read(self, data: bytes) -> list[Event]:
        """Events of the bytes; raises `StreamError`."""
        return self._parser.feed(data)

    def open(self, attributes: str) -> bytes:
        """The stream header with its attributes, each behind a space."""
        return f"{_HEADER}{attributes}>".encode()

    def stream_element(self, local: str, content: str) -> bytes:
        """`<stream:features/>` or `<stream:error/>` with its content."""
        return f"<stream:{local}>{content}</stream:{local}>".encode()

    def stanza(self, data: bytes) -> bytes:
        """A stanza, or an element with its own namespace, encoded for TCP."""
        return data

    def close_tag(self) -> bytes:
        """The end of the stream."""
        return b"</stream:stream>"

    def close(self) -> None:
        """Let go of the parser."""
        self._parser.close()


class WebSocketFraming:
    """Each message is one document; `<open/>` and `<close/>` stand for the stream's tags."""

    is_document_per_message = True

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def restart(self) -> None:
        """Nothing is kept between two messages."""

    def read(self, data: bytes) -> list[Event]:
        """The event of one message; raises `StreamError`."""
        event = parse_document(data, self.limits)
        if isinstance(event, Element):
            if event.tag == _OPEN_TAG:
                return [StreamHeader(STREAM_TAG, event.attrib, NS_CLIENT)]
            if event.tag == _CLOSE_TAG:
                return [StreamEnd()]
        return [event]

    def open(self, attributes: str) -> bytes:
        """The `<open/>` element (RFC 7395, section 3.4)."""
        return f"<open xmlns='{NS_FRAMING}'{attributes}/>".encode()

    def stream_element(self, local: str, content: str) -> bytes:
        """`<stream:features/>` or `<stream:error/>`; the prefix is declared on it (RFC 7395, section 3.3.3)."""
        return f"<stream:{local} xmlns:stream='{NS_STREAMS}'>{content}</stream:{local}>".encode()

    def stanza(self, data: bytes) -> bytes:
        """A stanza, or an element with its own namespace, as a document of its own."""
        return as_document(data)

    def close_tag(self) -> bytes:
        """The `<close/>` element (RFC 7395, section 3.6)."""
        return f"<close xmlns='{NS_FRAMING}'/>".encode()

    def close(self) -> None:
        """Nothing is held."""


Framing = TcpFraming | WebSocketFraming
