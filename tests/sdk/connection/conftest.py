"""A server that plays a part, over real sockets and TLS, and clients for it: all that a good server never does."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import pytest
import trustme

from heliograph.sdk.connection import Connection
from heliograph.sdk.events import ConnectionUpdate, Event
from heliograph.sdk.reconnect import ReconnectPolicy
from heliograph.sdk.resource import Terms
from heliograph.sdk.states import Trigger
from heliograph.sdk.stream import Credentials
from heliograph.sdk.transport import Target
from patience import PATIENCE_S

HASTY = ReconnectPolicy(backoff_base_s=0.02, backoff_max_s=0.02, close_timeout_s=0.02)

HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='chat.test' id='s1' version='1.0'>"
)
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
MECHANISMS = f"<mechanisms xmlns='{SASL}'><mechanism>PLAIN</mechanism></mechanisms>"
STARTTLS = f"<starttls xmlns='{TLS}'><required/></starttls>"
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>ada@chat.test/r1</jid></bind>"
ROSTER = "<query xmlns='jabber:iq:roster'><item jid='bob@chat.test' subscription='both'/></query>"


@dataclass
class Peer:
    """One client's connection, seen from the server. What it sends is read tag by tag."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[str] = field(default_factory=list)

    async def until(self, wanted: str) -> str:
        """Read up to a text, and give what stood before it."""
        found = (await self.reader.readuntil(wanted.encode())).decode()
        self.heard.append(found)
        return found

    def say(self, text: str) -> None:
        self.writer.write(text.encode())

    async def greet(self, features: str) -> None:
        await self.until("version='1.0' xml:lang='en'>")
        self.say(f"{HEADER}<stream:features>{features}</stream:features>")

    async def sign_in(self) -> None:
        await self.greet(MECHANISMS)
        await self.until("</auth>")
        self.say(f"<success xmlns='{SASL}'/>")
        await self.greet("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")
        await self.until("</iq>")
        self.say(f"<iq type='result' id='bind'>{BIND}</iq>")

    async def settle(self) -> None:
        """Answer what the SDK asks at first."""
        await self.until("</presence>")
        await self.until("</iq>")
        self.say(f"<iq type='result' id='h1' to='ada@chat.test/r1'>{ROSTER}</iq>")
        self.say("<iq type='result' id='h2' to='ada@chat.test/r1'><blocklist xmlns='urn:xmpp:blocking'/></iq>")
        self.say("<iq type='result' id='h3' from='chat.test' to='ada@chat.test/r1'/>")

    async def be_good(self) -> None:
        await self.sign_in()
        await self.settle()

    async def refuse(self, condition: str = "not-authorized") -> None:
        """Refuse the sign-in."""
        await self.greet(MECHANISMS)
        await self.until("</auth>")
        self.say(f"<failure xmlns='{SASL}'><{condition}/></failure>")

    async def be_insecure(self) -> None:
        """Offer no TLS."""
        await self.greet(MECHANISMS)
        await self.gone()

    async def gone(self) -> str:
        """Wait until the client is gone; what it said until then."""
        rest = (await self.reader.read()).decode()
        self.heard.append(rest)
        return rest


Part = str | Callable[[Peer], Awaitable[object]]
"""What a server does on one connection: the name of a method of `Peer`, or a function."""


class Server:
    """Plays its parts one after the other, one for each connection; the last one again and again."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        self.context = context
        self.port = port
        self.parts: list[Part] = ["be_good"]
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, *, is_direct_tls: bool = False) -> None:
        context = self.context if is_direct_tls else None
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", self.port, ssl=context)

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._play(Peer(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, peer: Peer) -> None:
        part = self.parts.pop(0) if len(self.parts) > 1 else self.parts[0]
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            if peer.writer.get_extra_info("ssl_object") is None and part != "be_insecure":
                await peer.greet(STARTTLS)
                await peer.until("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                peer.say(f"<proceed xmlns='{TLS}'/>")
                await peer.writer.start_tls(self.context)
            await (getattr(Peer, part) if isinstance(part, str) else part)(peer)
            self.peers.put_nowait(peer)

    async def stop(self) -> None:
        """Listen no longer, and drop every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        while not self.peers.empty():
            self.peers.get_nowait().writer.transport.abort()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def server(authority: trustme.CA, free_ports: Callable[[int], list[int]]) -> AsyncIterator[Server]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    server = Server(context, *free_ports(1))
    yield server
    await server.stop()


class Client:
    """A connection and all that it told."""

    def __init__(self, terms: Terms) -> None:
        self.events: list[Event] = []
        self.ended: list[Credentials] = []
        self.connection = Connection(terms, self._emit, self.ended.append)
        self._news = asyncio.Event()

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    @property
    def statuses(self) -> list[str]:
        return [event.status.value for event in self.events if isinstance(event, ConnectionUpdate)]

    @property
    def reasons(self) -> list[str]:
        """All reasons that were given, in order."""
        return [event.reason for event in self.events if isinstance(event, ConnectionUpdate) and event.reason]

    async def until(self, *statuses: str) -> None:
        """Wait until these statuses have come one after the other."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._has_come(statuses):
                self._news.clear()
                await self._news.wait()

    def _has_come(self, statuses: tuple[str, ...]) -> bool:
        come = self.statuses
        return any(tuple(come[at : at + len(statuses)]) == statuses for at in range(len(come)))


@pytest.fixture
async def new_client(server: Server, authority: trustme.CA) -> AsyncIterator[Callable[..., Client]]:
    """Makes clients that trust `trusted` and connect to `targets`; further options change their policy."""
    async with AsyncExitStack() as stack:

        def make(
            *,
            is_direct_tls: bool = False,
            targets: tuple[Target, ...] = (),
            trusted: trustme.CA = authority,
            **policy: float,
        ) -> Client:
            context = ssl.create_default_context()
            trusted.configure_trust(context)
            ways = targets or (Target("localhost", server.port, is_direct_tls),)
            client = Client(Terms(ways, context, replace(HASTY, **policy)))
            stack.push_async_callback(client.connection.stop, Trigger.CLOSE)
            return client

        yield make


@pytest.fixture
async def client(server: Server, new_client: Callable[..., Client]) -> Client:
    """One for a server that listens with STARTTLS."""
    await server.listen()
    return new_client()


@pytest.fixture
async def peer(server: Server, client: Client) -> Peer:
    """The server's end of a connection of Ada's that stands."""
    await client.connection.connect(Credentials("ada", "chat.test", "secret"))
    return await server.peers.get()
