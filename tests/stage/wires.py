"""Raw clients of the tests' own: sockets that say and hear text, and the stanzas in it."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from xml.etree.ElementTree import Element, fromstring
from xml.parsers import expat

from patience import PATIENCE_S

NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_PING = "urn:xmpp:ping"


class Wire:
    """One socket of a client, that says and hears text."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.heard = ""

    async def send(self, *pieces: str | bytes) -> None:
        for piece in pieces:
            self.writer.write(piece.encode() if isinstance(piece, str) else piece)
        await self.writer.drain()

    async def read(self) -> str:
        """The next text, in whatever pieces it comes; `""` at the end."""
        async with asyncio.timeout(PATIENCE_S):
            data = await self.reader.read(65536)
        self.heard += data.decode()
        return data.decode()

    async def until(self, token: str) -> str:
        """All text up to a token and with it."""
        while token not in self.heard:
            if not await self.read():
                raise AssertionError(f"the server closed before {token!r}: {self.heard!r}")
        text, _, self.heard = self.heard.partition(token)
        return text + token

    async def rest(self) -> str:
        """All text until the server closes; a reset of the socket takes nothing away that has come."""
        try:
            while await self.read():
                pass
        except (ConnectionError, ssl.SSLError):
            self.heard += bytes(self.reader._buffer).decode()  # type: ignore[attr-defined]
        text, self.heard = self.heard, ""
        return text

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.writer.start_tls(context, server_hostname=name)

    def close(self) -> None:
        self.writer.transport.abort()

    def reset(self) -> None:
        """Break the connection without a word: the server gets a reset."""
        raw = self.writer.get_extra_info("socket")
        if raw is not None:  # nor is there one any more where the server was quicker
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass(frozen=True)
class Got:
    """A stanza (or another element of the stream) as it came."""

    xml: str
    element: Element

    @property
    def as_sent(self) -> str:
        """The text without the id that the receiver's archive has given it."""
        return re.sub(r"<stanza-id xmlns='urn:xmpp:sid:0' by='[^']+' id='[0-9a-f]{30}'/>(?=</message>$)", "", self.xml)

    @property
    def name(self) -> str:
        return self.element.tag.rpartition("}")[2]

    def get(self, attribute: str) -> str | None:
        return self.element.get(attribute)

    @property
    def condition(self) -> str:
        """The condition of the error that it carries, or `""`."""
        error = self.element.find("{jabber:client}error")
        return "" if error is None else error[0].tag.rpartition("}")[2]

    @property
    def error_type(self) -> str | None:
        error = self.element.find("{jabber:client}error")
        return None if error is None else error.get("type")


class Splitter:
    """Cuts a stream's text into its elements; written for the tests, so that it shares no error with the server."""

    def __init__(self, header: str) -> None:
        self.done: deque[str] = deque()
        self._data = b""
        self._depth = 0
        self._start = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._finish
        self._ends: list[tuple[int, int, bytes]] = []
        self.feed(header)

    def _begin(self, _name: str, _attributes: object) -> None:
        if self._depth == 1:
            self._start = self._parser.CurrentByteIndex
        self._depth += 1

    def _finish(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 1:
            self._ends.append((self._start, self._parser.CurrentByteIndex, f"</{name}>".encode()))

    def feed(self, text: str) -> None:
        data = text.encode()
        self._data += data
        self._parser.Parse(data)
        for start, end, tag in self._ends:  # expat stands before an end tag, but behind an empty element
            stop = end + len(tag) if self._data.startswith(tag, end) else end
            self.done.append(self._data[start:stop].decode())
        self._ends.clear()


def stream_header(host: str, lang: str | None = None) -> str:
    named = f" xml:lang='{lang}'" if lang else ""
    return (
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        f" to='{host}' version='1.0'{named}>"
    )


def plain(username: str, password: str) -> str:
    token = b64encode(f"\0{username}\0{password}".encode()).decode()
    return f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{token}</auth>"


def bind_request(resource: str | None) -> str:
    wanted = f"<resource>{resource}</resource>" if resource else ""
    return f"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{wanted}</bind></iq>"


def parsed(xml: str) -> Got:
    """An element of a stream, under the namespaces that the stream declares."""
    names = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    return Got(xml, fromstring(f"<s {names}>{xml}</s>")[0])


class Client:
    """A signed-in client: its stanzas one after the other."""

    def __init__(self, wire: Wire, account: Account, jid: str, header: str) -> None:
        self.wire = wire
        self.account = account
        self.jid = jid
        self._splitter = Splitter(header)
        self._ids = count(1)
        self._splitter.feed(wire.heard)
        wire.heard = ""

    @property
    def bare(self) -> str:
        return self.account.jid

    @property
    def host(self) -> str:
        return self.account.jid.partition("@")[2]

    async def send(self, *xml: str) -> None:
        await self.wire.send(*xml)

    async def next(self) -> Got:
        """The next stanza."""
        while not self._splitter.done:
            text = await self.wire.read()
            if not text:
                raise AssertionError(f"the server closed the stream of {self.jid}")
            self.wire.heard = ""
            self._splitter.feed(text)
        return parsed(self._splitter.done.popleft())

    async def gets(self, name: str, **attributes: str | None) -> Got:
        """The next stanza of that name with those attributes (`from_` is `from`); those before it are dropped."""
        wanted = {key.rstrip("_"): value for key, value in attributes.items()}
        while True:
            got = await self.next()
            if got.name == name and all(got.get(key) == value for key, value in wanted.items()):
                return got

    async def ask(self, payload: str, *, kind: str = "get", to: str | None = None) -> Got:
        """Send a request and wait for the answer."""
        identity = f"ask-{next(self._ids)}"
        address = f" to='{to}'" if to else ""
        await self.send(f"<iq type='{kind}' id='{identity}'{address}>{payload}</iq>")
        return await self.gets("iq", id=identity)

    async def so_far(self) -> list[Got]:
        """All that has come until the server answers a ping."""
        found: list[Got] = []
        await self.so_far_into(found.append)
        return found

    async def so_far_into(self, collect: Callable[[Got], None]) -> None:
        """Collect all that comes until the server answers a ping."""
        identity = f"ping-{next(self._ids)}"
        await self.send(f"<iq type='get' id='{identity}' to='{self.host}'><ping xmlns='{NS_PING}'/></iq>")
        while (got := await self.next()).get("id") != identity:
            collect(got)

    async def end(self) -> str:
        """All text until the server closes."""
        text = "".join(self._splitter.done) + await self.wire.rest()
        self._splitter.done.clear()
        return text


@dataclass(frozen=True)
class Account:
    """What registering gave."""

    username: str
    password: str
    jid: str
    token: str
    session_id: str
