"""A running node with an app, and raw clients that speak to it byte by byte over real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring
from xml.parsers import expat

import httpx
import pytest
import structlog

from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp, Policy, RegistrationPolicy
from heliograph.node import Node, run_node
from heliograph.settings import Settings

PATIENCE_S = 10.0
LIVE, SANDBOX = "chat.localhost", "sandbox.chat.localhost"
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_PING = "urn:xmpp:ping"

# ------------------------------------------------------------------------------------------------------------- clients


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


def stream_header(host: str) -> str:
    return (
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        f" to='{host}' version='1.0'>"
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
        identity = f"ping-{next(self._ids)}"
        await self.send(f"<iq type='get' id='{identity}' to='{self.host}'><ping xmlns='{NS_PING}'/></iq>")
        found: list[Got] = []
        while True:
            got = await self.next()
            if got.get("id") == identity:
                return found
            found.append(got)

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


# ---------------------------------------------------------------------------------------------------------------- node


@dataclass
class Place:
    """A running node with one app; users get names that no other test has."""

    node: Node
    app: NewApp
    http: httpx.AsyncClient
    tls: ssl.SSLContext
    _wires: list[Wire] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def key(self, environment: Environment, kind: KeyKind = KeyKind.SECRET) -> str:
        return self.app.keys[kind, environment]

    def name(self, name: str) -> str:
        """A user's name that is new to the node."""
        return f"{name}-{next(self._names)}"

    async def call(
        self,
        method: str,
        path: str,
        account: Account | None = None,
        body: Any = None,
        environment: Environment = Environment.SANDBOX,
    ) -> Any:
        """Call the HTTP API: as the app's backend, or as a user; returns `data`."""
        headers = {"Heliograph-Key": self.key(environment)}
        if account is not None:
            headers["Authorization"] = f"Bearer {account.token}"
        answer = await self.http.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json().get("data")

    async def register(self, name: str, environment: Environment = Environment.SANDBOX, **options: Any) -> Account:
        """A new session of a user."""
        body = {"userIdentifier": name, **options}
        data = await self.call("POST", "/register", body=body, environment=environment)
        return Account(data["username"], data["password"], data["userJid"], data["token"], data["sessionId"])

    async def dial(self, *, is_direct_tls: bool = True) -> Wire:
        """A socket to the node: secured, or in the clear where STARTTLS is spoken."""
        port = self.node.xmpps_port if is_direct_tls else self.node.xmpp_port
        context = self.tls if is_direct_tls else None
        name = SANDBOX if is_direct_tls else None
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        wire = Wire(reader, writer)
        self._wires.append(wire)
        return wire

    async def open(self, account: Account, *, is_direct_tls: bool = True) -> Wire:
        """A socket with an open stream; its features are heard."""
        wire = await self.dial(is_direct_tls=is_direct_tls)
        await wire.send(stream_header(account.jid.partition("@")[2]))
        await wire.until("</stream:features>")
        return wire

    async def sign_in(self, account: Account, resource: str | None = None) -> Client:
        """A client that is bound and has said nothing yet."""
        header = stream_header(account.jid.partition("@")[2])
        wire = await self.dial()
        await wire.send(header, plain(account.username, account.password), header, bind_request(resource))
        await wire.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        opened = await wire.until("xml:lang='en'>")
        await wire.until("</stream:features>")
        bound = await wire.until("</iq>")
        jid = bound.partition("<jid>")[2].partition("</jid>")[0]
        return Client(wire, account, jid, opened)

    def leave_open(self) -> None:
        """Leave the sockets to the test."""
        self._wires.clear()

    def hang_up(self) -> None:
        for wire in self._wires:
            wire.close()
        self._wires.clear()


@asynccontextmanager
async def running(data_dir: Path, *, is_new: bool = True, **settings: Any) -> AsyncIterator[Place]:
    """A node with an app, until the context is left; the app is made unless the folder has it."""
    chosen = {"domain": LIVE, "drain_timeout_s": 5, **settings}
    wanted = Settings(data_dir=data_dir, http_port=0, xmpp_port=0, xmpps_port=0, **chosen)
    policy = Policy(registration=RegistrationPolicy.OPEN, max_sessions=3, sandbox_max_users=10_000)
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(run_node(wanted))
        if is_new:
            app = await apps.create(node.ports, "Chat", LIVE, SANDBOX, policy)
        else:
            app = NewApp((await node.ports.apps.list())[0][0], {}, "")
        tls = ssl.create_default_context(cafile=str(node.certificate_file))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=node.public_url))
        place = Place(node, app, http, tls)
        stack.callback(place.hang_up)
        yield place


@pytest.fixture(scope="module")
async def running_place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with running(tmp_path_factory.mktemp("node")) as place:
        yield place


@pytest.fixture
async def place(running_place: Place) -> AsyncIterator[Place]:
    """The module's node; the sockets of a test are closed behind it."""
    yield running_place
    running_place.hang_up()


@pytest.fixture
def running_node() -> Callable[..., AbstractAsyncContextManager[Place]]:
    """Runs a node as long as a context lasts."""
    return running


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Place]]]:
    """Starts a node of the test's own, with settings."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Place:
            return await stack.enter_async_context(running(tmp_path, **settings))

        yield make


@pytest.fixture
async def join(place: Place) -> Callable[..., Awaitable[Client]]:
    """Makes clients of new users, that are present unless `is_present` says no."""

    async def make(name: str = "ada", resource: str | None = None, *, is_present: bool = True) -> Client:
        client = await place.sign_in(await place.register(place.name(name)), resource)
        if is_present:
            await client.send("<presence/>")
            await client.so_far()
        return client

    return make


@pytest.fixture
async def again(place: Place) -> Callable[..., Awaitable[Client]]:
    """Makes a further client of a client's user, with the same session or with one of its own."""

    async def make(
        client: Client, resource: str | None = None, *, is_present: bool = True, has_own_session: bool = False
    ) -> Client:
        account = await place.register(client.account.username) if has_own_session else client.account
        other = await place.sign_in(account, resource)
        if is_present:
            await other.send("<presence/>")
        await other.so_far()
        return other

    return make


@pytest.fixture
async def befriend(place: Place) -> Callable[..., Awaitable[None]]:
    """Makes two users contacts of each other, over the HTTP API."""

    async def make(one: Client, other: Client) -> None:
        friend = await place.call("PUT", f"/contacts/{other.account.username}", one.account)
        assert friend["state"] == "friend"

    return make


@pytest.fixture
def becomes() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits until something is true of the server, turn by turn of the event loop that both sides share."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - nothing in the server tells of it
                await asyncio.sleep(0)

    return wait


class Gate:
    """A store with one method whose answer, or `error`, comes when it is let through, as from a distant database."""

    def __init__(self, store: Any, method: str) -> None:
        self._store = store
        self._method = method
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.passed = asyncio.Event()
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._through(found) if name == self._method else found

    def _through(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def waiting(*arguments: Any) -> Any:
            answer = await call(*arguments)
            self.entered.set()
            await self.opened.wait()
            self.passed.set()
            if self.error is not None:
                raise self.error
            return answer

        return waiting


@pytest.fixture
def gated(place: Place) -> Callable[[str, str], AbstractContextManager[Gate]]:
    """Puts a gate before a method of a port, as long as a context lasts."""

    @contextmanager
    def gate(port: str, method: str) -> Iterator[Gate]:
        engine = place.node.engine
        ports = engine.ports
        made = Gate(getattr(ports, port), method)
        engine.ports = replace(ports, **{port: made})
        yield made
        engine.ports = ports

    return gate


@pytest.fixture(autouse=True)
def no_bugs(caplog: pytest.LogCaptureFixture) -> Iterator[list[Any]]:
    """No test may make the server log an error: that would be a bug, whatever the client was told."""
    with structlog.testing.capture_logs() as lines:
        yield lines
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
