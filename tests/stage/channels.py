"""The ways to a node that a script's client can take: TCP and WebSocket; what it says goes whole or a byte at a time,
and what it hears comes as the elements of the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import Element, XMLPullParser, fromstring

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from patience import PATIENCE_S
from wires import Wire, stream_header

_RESTARTING = ("{urn:ietf:params:xml:ns:xmpp-sasl}success", "{urn:ietf:params:xml:ns:xmpp-tls}proceed")
_BARE_STANZA = re.compile(r"^<(message|presence|iq)\b(?![^>]* xmlns=)")
_NS_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"


@dataclass(frozen=True)
class Heard:
    """One thing that a client hears: a child of the stream, its opening tag (an element without children), or, without
    an element, that the stream or (`is_gone`) the connection is over.
    """

    element: Element | None = None
    is_header: bool = False
    is_gone: bool = False


class StreamReader:
    """Cuts a stream into what is heard; the standard library's parser, so that it shares no error with the server's."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._parser = XMLPullParser(("start", "end"))
        self._depth = 0

    def feed(self, text: str) -> list[Heard]:
        """What the text completes. A stream begins anew behind what tells both sides so (RFC 6120, section 4.3.3)."""
        heard: list[Heard] = []
        for piece in text.replace(">", ">\0").split("\0"):
            self._parser.feed(piece)
            for event, element in self._parser.read_events():
                heard += self._on(event, element)
            if heard and heard[-1].element is not None and heard[-1].element.tag in _RESTARTING:
                self._begin()
        return heard

    def _on(self, event: str, element: Element) -> list[Heard]:
        if event == "start":
            self._depth += 1
            return [Heard(element, is_header=True)] if self._depth == 1 else []
        self._depth -= 1
        if self._depth == 0:
            return [Heard()]
        return [Heard(element)] if self._depth == 1 else []


class Channel(Protocol):
    """A client's side of a connection."""

    is_bytewise: bool

    async def send(self, text: str) -> None:
        """Say something."""
        ...

    async def open(self, host: str) -> None:
        """Say that a stream begins."""
        ...

    async def next(self) -> Heard:
        """Wait for what is heard next."""
        ...

    def drop(self) -> None:
        """Break the connection without a word."""
        ...


class TcpChannel:
    """A stream on a socket."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.is_bytewise = False
        self._heard: deque[Heard] = deque()
        self._reader = StreamReader()

    async def send(self, text: str) -> None:
        data = text.encode()
        step = 1 if self.is_bytewise else len(data)
        with contextlib.suppress(ConnectionError):  # a server that has heard enough closes; what it said is still read
            for start in range(0, len(data), step):
                await self.wire.send(data[start : start + step])
                await asyncio.sleep(0)  # a turn of the loop, in which the server reads it

    async def open(self, host: str) -> None:
        await self.send(stream_header(host))

    async def next(self) -> Heard:
        while not self._heard:
            try:
                text = await self.wire.read()
            except ConnectionError:
                text = ""
            if not text:
                return Heard(is_gone=True)
            self._heard += self._reader.feed(text)
        return self._heard.popleft()

    def drop(self) -> None:
        self.wire.reset()


class WebSocketChannel:
    """A stream of documents on a WebSocket (RFC 7395); byte by byte means a frame for each character."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.is_bytewise = False

    async def send(self, text: str) -> None:
        text = _BARE_STANZA.sub(r"<\1 xmlns='jabber:client'", text)  # each message stands alone (section 3.3.3)
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(list(text) if self.is_bytewise else text)

    async def open(self, host: str) -> None:
        await self.send(f"<open xmlns='{_NS_FRAMING}' to='{host}' version='1.0'/>")

    async def next(self) -> Heard:
        try:
            async with asyncio.timeout(PATIENCE_S):
                message = await self.socket.recv()
        except ConnectionClosed:
            return Heard(is_gone=True)
        element = fromstring(message)
        if element.tag == f"{{{_NS_FRAMING}}}close":
            return Heard()
        return Heard(element, is_header=element.tag == f"{{{_NS_FRAMING}}}open")

    def drop(self) -> None:
        self.socket.transport.abort()
