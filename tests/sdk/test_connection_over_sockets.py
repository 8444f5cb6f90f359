"""The connection against a server that plays a part: real sockets and TLS, and all that a good server never does."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
import trustme

from heliograph.errors import (
    AdminBlocked,
    AlreadyConnected,
    AuthenticationFailed,
    NotConnected,
    TimedOut,
    Unreachable,
)
from heliograph.sdk.connection import Connection
from heliograph.sdk.events import AdminBlockUpdate, ConnectionUpdate, Event, FriendsListUpdate, UserDeleted
from heliograph.sdk.reconnect import ReconnectPolicy
from heliograph.sdk.resource import Terms
from heliograph.sdk.states import Trigger
from heliograph.sdk.stream import Credentials
from heliograph.sdk.transport import Target
from heliograph.xmpp.session_end import session_ended

ADA = Credentials("ada", "chat.test", "secret")
BOB = Credentials("bob", "chat.test", "secret")
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
        self.say("<iq type='result' id='h2' from='chat.test' to='ada@chat.test/r1'/>")

    async def be_good(self) -> None:
        await self.sign_in()
        await self.settle()

    async def gone(self) -> str:
        """Wait until the client is gone; what it said until then."""
        rest = (await self.reader.read()).decode()
        self.heard.append(rest)
        return rest


Part = Callable[[Peer], Awaitable[None]]


class Server:
    """Plays its parts one after the other, one for each connection; the last one again and again."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        self.context = context
        self.port = port
        self.parts: list[Part] = [Peer.be_good]
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
            if peer.writer.get_extra_info("ssl_object") is None and part is not insecure:
                await peer.greet(STARTTLS)
                await peer.until("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                peer.say(f"<proceed xmlns='{TLS}'/>")
                await peer.writer.start_tls(self.context)
            await part(peer)
            self.peers.put_nowait(peer)

    async def stop(self) -> None:
        """Listen no longer, and drop every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        while not self.peers.empty():
            self.peers.get_nowait().writer.transport.abort()


async def insecure(peer: Peer) -> None:
    await peer.greet(MECHANISMS)
    await peer.gone()


async def refuse(peer: Peer, condition: str = "not-authorized") -> None:
    await peer.greet(MECHANISMS)
    await peer.until("</auth>")
    peer.say(f"<failure xmlns='{SASL}'><{condition}/></failure>")


async def be_silent(peer: Peer) -> None:
    await peer.gone()


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

    def __init__(self, server: Server, authority: trustme.CA, **options: object) -> None:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        self.events: list[Event] = []
        self.ended: list[Credentials] = []
        self._news = asyncio.Event()
        is_direct = bool(options.pop("is_direct_tls", False))
        policy = options.pop("policy", HASTY)
        assert isinstance(policy, ReconnectPolicy)
        targets = options.pop("targets", (Target("localhost", server.port, is_direct),))
        self.connection = Connection(Terms(targets, context, policy), self._emit, self.ended.append)  # type: ignore[arg-type]

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    @property
    def statuses(self) -> list[str]:
        return [event.status.value for event in self.events if isinstance(event, ConnectionUpdate)]

    async def until(self, *statuses: str) -> None:
        """Wait until the statuses end with these."""
        async with asyncio.timeout(10):
            while self.statuses[-len(statuses) :] != list(statuses):
                self._news.clear()
                await self._news.wait()

    @property
    def last(self) -> ConnectionUpdate:
        return [event for event in self.events if isinstance(event, ConnectionUpdate)][-1]


@pytest.fixture
async def client(server: Server, authority: trustme.CA) -> AsyncIterator[Client]:
    """Ada's, for a server that listens with STARTTLS."""
    await server.listen()
    client = Client(server, authority)
    yield client
    await client.connection.stop(Trigger.CLOSE)


# ----------------------------------------------------------------------------------------------------------- connecting


@pytest.mark.parametrize("is_direct_tls", [True, False])
async def test_it_connects_over_tls(server: Server, authority: trustme.CA, is_direct_tls: bool) -> None:
    await server.listen(is_direct_tls=is_direct_tls)
    client = Client(server, authority, is_direct_tls=is_direct_tls)
    await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    peer = await server.peers.get()
    said = "".join(peer.heard)
    assert said.count("<starttls") == (0 if is_direct_tls else 1)
    assert "jabber:iq:roster" in said
    assert "http://jabber.org/protocol/caps" in said
    await client.connection.stop(Trigger.CLOSE)
    assert (await peer.gone()).endswith("</stream:stream>")
    assert client.statuses == ["CONNECTING", "CONNECTED", "DISCONNECTED"]


async def test_a_closed_port_gives_way_to_the_next(
    server: Server, authority: trustme.CA, free_ports: Callable[[int], list[int]]
) -> None:
    await server.listen()
    targets = (Target("localhost", *free_ports(1), True), Target("localhost", server.port, False))
    client = Client(server, authority, targets=targets)
    await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    await client.connection.stop(Trigger.CLOSE)


@pytest.mark.parametrize("is_direct_tls", [True, False])
async def test_a_server_with_a_strangers_certificate_never_sees_the_password(
    server: Server, is_direct_tls: bool
) -> None:
    await server.listen(is_direct_tls=is_direct_tls)
    client = Client(server, trustme.CA(), is_direct_tls=is_direct_tls)
    with pytest.raises(Unreachable, match="certificate"):
        await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "CONNECTIONFAILED"]
    assert server.peers.empty()


async def test_a_certificate_for_another_host_is_not_trusted(server: Server, authority: trustme.CA) -> None:
    await server.listen()
    client = Client(server, authority, targets=(Target("127.0.0.1", server.port, False),))
    with pytest.raises(Unreachable, match="certificate"):
        await client.connection.connect(ADA)


async def test_a_server_without_tls_never_sees_the_password(server: Server, client: Client) -> None:
    server.parts = [insecure]
    with pytest.raises(Unreachable):
        await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "ERROROCCURED"]
    peer = await server.peers.get()
    assert "<auth" not in "".join(peer.heard)


async def test_a_wrong_password_is_final(server: Server, client: Client) -> None:
    server.parts = [refuse]
    with pytest.raises(AuthenticationFailed) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 401
    assert client.statuses == ["CONNECTING", "AUTHENTICATIONFAILED"]
    assert client.last.reason == "authentication_failed"
    assert client.connection.user_jid is None


async def test_a_blocked_user_is_told_so(server: Server, client: Client) -> None:
    server.parts = [lambda peer: refuse(peer, "account-disabled")]
    with pytest.raises(AdminBlocked) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 403
    assert client.last.reason == "admin_blocked"
    assert client.events[-1] == AdminBlockUpdate(user_id="ada", user_jid="ada@chat.test", is_admin_blocked=True)


async def test_a_first_connection_that_fails_is_not_tried_again(server: Server, authority: trustme.CA) -> None:
    await server.listen()
    await server.stop()
    client = Client(server, authority)
    with pytest.raises(Unreachable) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 503
    assert client.statuses == ["CONNECTING", "CONNECTIONFAILED"]
    assert client.connection.user_jid is None
    await server.listen()
    await client.connection.connect(ADA)
    assert client.statuses[2:] == ["CONNECTING", "CONNECTED"]
    await client.connection.stop(Trigger.CLOSE)


@pytest.mark.parametrize("part", [be_silent, Peer.sign_in])
async def test_a_server_that_falls_silent_is_a_timeout(server: Server, authority: trustme.CA, part: Part) -> None:
    await server.listen()
    server.parts = [part]
    client = Client(server, authority, policy=replace(HASTY, attempt_timeout_s=0.5))
    with pytest.raises(TimedOut) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 504
    assert client.statuses == ["CONNECTING", "CONNECTIONTIMEOUT"]


async def test_while_connected_the_same_user_changes_nothing_and_another_is_refused(
    server: Server, client: Client
) -> None:
    await asyncio.gather(*(client.connection.connect(ADA) for _ in range(5)))
    await client.connection.connect(Credentials("ada", "chat.test", "another password"))
    with pytest.raises(AlreadyConnected) as caught:
        await client.connection.connect(BOB)
    assert caught.value.status_code == 409
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    assert server.connections == 1


async def test_connect_can_be_cancelled(server: Server, client: Client) -> None:
    reached, left = asyncio.Event(), asyncio.Event()

    async def stall(peer: Peer) -> None:
        await peer.sign_in()
        reached.set()
        await peer.gone()
        left.set()

    server.parts = [stall, Peer.be_good]
    connecting = asyncio.ensure_future(client.connection.connect(ADA))
    await reached.wait()
    connecting.cancel()
    await asyncio.wait((connecting,))
    assert connecting.cancelled()
    await asyncio.wait_for(left.wait(), 10)
    assert client.statuses == ["CONNECTING", "DISCONNECTED"]
    await client.connection.connect(ADA)
    assert client.statuses[2:] == ["CONNECTING", "CONNECTED"]


async def test_stopping_ends_a_connect_that_waits(server: Server, client: Client) -> None:
    server.parts = [be_silent]
    connecting = asyncio.ensure_future(client.connection.connect(ADA))
    await client.until("CONNECTING")
    await client.connection.stop(Trigger.CLOSE)
    with pytest.raises(Unreachable):
        await connecting
    assert client.statuses == ["CONNECTING", "DISCONNECTED"]


# --------------------------------------------------------------------------------------------------------- reconnecting


async def test_a_lost_connection_is_made_again(server: Server, client: Client) -> None:
    await client.connection.connect(ADA)
    for _ in range(3):
        (await server.peers.get()).writer.transport.abort()
        await client.until("DISCONNECTED", "RECONNECTING", "CONNECTED")
        client.events.clear()
    assert server.connections == 4


async def test_it_goes_on_trying_and_counts_the_attempts(server: Server, client: Client) -> None:
    await client.connection.connect(ADA)
    await server.stop()
    await client.until(*("RECONNECTING", "CONNECTIONFAILED") * 3)
    await server.listen()
    await client.until("RECONNECTING", "CONNECTED")
    attempts = [event.attempt for event in client.events if isinstance(event, ConnectionUpdate) and event.attempt]
    assert attempts == list(range(1, len(attempts) + 1))
    assert len(attempts) >= 4


async def test_a_password_that_no_longer_holds_ends_the_trying(server: Server, client: Client) -> None:
    server.parts = [Peer.be_good, refuse]
    await client.connection.connect(ADA)
    (await server.peers.get()).writer.transport.abort()
    await client.until("DISCONNECTED", "RECONNECTING", "AUTHENTICATIONFAILED")
    assert client.connection.user_jid is None
    assert server.connections == 2


@pytest.mark.parametrize("reason", ["evicted", "ended_by_user", "logout", "admin_blocked", "account_deleted"])
async def test_a_session_that_the_server_ends_is_over_and_says_why(server: Server, client: Client, reason: str) -> None:
    await client.connection.connect(ADA)
    error = session_ended(reason)
    condition = f"<{error.condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    peer = await server.peers.get()
    peer.say(f"<stream:error>{condition}{error.application}</stream:error></stream:stream>")
    assert (await peer.gone()).endswith("</stream:stream>")
    await client.until("CONNECTED", "LOGOUT")
    assert client.last.reason == reason
    assert client.ended == [ADA]
    assert client.connection.user_jid is None
    special = {
        "admin_blocked": [AdminBlockUpdate(user_id="ada", user_jid="ada@chat.test", is_admin_blocked=True)],
        "account_deleted": [UserDeleted(user_id="ada", user_jid="ada@chat.test")],
    }
    assert client.events[3:] == special.get(reason, [])


@pytest.mark.parametrize(
    "text", ["<message><body>&bomb;</body></message>", "<message></presence>", "nonsense<message/>"]
)
async def test_a_server_that_breaks_the_protocol_is_left_and_tried_again(
    server: Server, client: Client, text: str
) -> None:
    await client.connection.connect(ADA)
    peer = await server.peers.get()
    peer.say(text)
    assert "<stream:error>" in await peer.gone()
    await client.until("CONNECTED", "ERROROCCURED", "RECONNECTING", "CONNECTED")


async def test_a_server_that_shuts_down_is_tried_again(server: Server, client: Client) -> None:
    await client.connection.connect(ADA)
    condition = "<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    (await server.peers.get()).say(f"<stream:error>{condition}</stream:error></stream:stream>")
    await client.until("CONNECTED", "DISCONNECTED", "RECONNECTING", "CONNECTED")
    reasons = [event.reason for event in client.events if isinstance(event, ConnectionUpdate) and event.reason]
    assert reasons == ["system-shutdown"]


async def test_stopping_ends_the_trying(server: Server, authority: trustme.CA) -> None:
    await server.listen()
    client = Client(server, authority, policy=replace(HASTY, backoff_base_s=3600, backoff_max_s=3600))
    await client.connection.connect(ADA)
    await server.stop()
    await client.until("DISCONNECTED")
    assert client.connection.user_jid == "ada@chat.test"
    with pytest.raises(AlreadyConnected):
        await client.connection.connect(BOB)
    await client.connection.stop(Trigger.SESSION_ENDED, "logout")
    assert client.statuses[-1] == "LOGOUT"
    assert client.connection.user_jid is None


async def test_connect_does_not_wait_for_the_next_attempt(server: Server, authority: trustme.CA) -> None:
    await server.listen()
    client = Client(server, authority, policy=replace(HASTY, backoff_base_s=3600, backoff_max_s=3600))
    await client.connection.connect(ADA)
    (await server.peers.get()).writer.transport.abort()
    await client.until("DISCONNECTED")
    await client.connection.connect(ADA)
    assert client.statuses[-2:] == ["CONNECTING", "CONNECTED"]
    await client.connection.stop(Trigger.CLOSE)


# ----------------------------------------------------------------------------------------------------------- keep-alive


async def test_a_server_that_gives_no_sign_of_life_is_given_up(server: Server, authority: trustme.CA) -> None:
    await server.listen()
    policy = replace(HASTY, ping_after_s=0.05, ping_timeout_s=0.05, backoff_base_s=0.01)
    client = Client(server, authority, policy=policy)
    await client.connection.connect(ADA)
    await client.until("CONNECTED", "DISCONNECTED")
    assert client.last.reason == "timeout"
    peer = await server.peers.get()
    assert "urn:xmpp:ping" in await peer.gone()
    await client.until("DISCONNECTED", "RECONNECTING", "CONNECTED")
    await client.connection.stop(Trigger.CLOSE)


async def test_a_server_that_answers_pings_is_kept(server: Server, authority: trustme.CA) -> None:
    await server.listen()
    answered = asyncio.Event()

    async def answer_pings(peer: Peer) -> None:
        await peer.be_good()
        for number in range(3, 8):
            await peer.until("<ping xmlns='urn:xmpp:ping'/></iq>")
            peer.say(f"<iq type='error' id='h{number}' from='chat.test'><error type='cancel'/></iq>")
        answered.set()

    server.parts = [answer_pings]
    client = Client(server, authority, policy=replace(HASTY, ping_after_s=0.01))
    await client.connection.connect(ADA)
    await asyncio.wait_for(answered.wait(), 10)
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    await client.connection.stop(Trigger.CLOSE)


# --------------------------------------------------------------------------------------------------------------- asking


@pytest.fixture
async def peer(server: Server, client: Client) -> Peer:
    """The server's end of a connection that stands."""
    await client.connection.connect(ADA)
    return await server.peers.get()


async def test_disco_and_ping_are_answered(peer: Peer) -> None:
    disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    peer.say(f"<iq type='get' id='d1' from='bob@chat.test/pc' to='ada@chat.test/r1'>{disco}</iq>")
    answer = await peer.until("</iq>")
    assert "type='result' id='d1'" in answer
    assert "to='bob@chat.test/pc'" in answer
    assert "urn:xmpp:vcard4+notify" in answer
    assert "category='client'" in answer
    peer.say("<iq type='get' id='p1' from='chat.test'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert "type='result' id='p1'" in await peer.until("/>")


async def test_the_announced_hash_is_that_of_the_answer(peer: Peer) -> None:
    presence = next(text for text in peer.heard if "<presence>" in text)
    ver = presence.partition("ver='")[2].partition("'")[0]
    node = f"urn:heliograph:sdk:python#{ver}"
    peer.say(f"<iq type='get' id='d1'><query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/></iq>")
    assert f"node='{node}'" in await peer.until("</iq>")
    peer.say("<iq type='get' id='d2'><query xmlns='http://jabber.org/protocol/disco#info' node='other'/></iq>")
    assert "item-not-found" in await peer.until("</iq>")


@pytest.mark.parametrize(
    ("request_xml", "condition"),
    [
        ("<iq type='get' id='x'><query xmlns='jabber:iq:private'/></iq>", "service-unavailable"),
        ("<iq type='set' id='x'><ping xmlns='urn:xmpp:ping'/></iq>", "service-unavailable"),
        ("<iq type='get' id='x'/>", "bad-request"),
    ],
)
async def test_a_request_that_is_not_understood_is_refused(peer: Peer, request_xml: str, condition: str) -> None:
    peer.say(request_xml)
    answer = await peer.until("</iq>")
    assert "type='error' id='x'" in answer
    assert condition in answer


async def test_a_roster_push_is_told_and_answered(peer: Peer, client: Client) -> None:
    item = "<item jid='bob@chat.test' subscription='remove'/>"
    peer.say(f"<iq type='set' id='r1' to='ada@chat.test/r1'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
    assert "type='result' id='r1'" in await peer.until("/>")
    assert client.events[-1] == FriendsListUpdate(user_id="bob", user_jid="bob@chat.test", state="removed")


async def test_a_roster_push_of_a_stranger_is_refused(peer: Peer, client: Client) -> None:
    item = "<item jid='eve@chat.test' subscription='both'/>"
    push = f"<query xmlns='jabber:iq:roster'>{item}</query>"
    peer.say(f"<iq type='set' id='r1' from='eve@chat.test/pc'>{push}</iq>")
    assert "service-unavailable" in await peer.until("</iq>")
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    assert len(client.events) == 2


async def test_an_answer_of_anyone_but_the_asked_is_not_taken(server: Server, authority: trustme.CA) -> None:
    await server.listen()

    async def forge(peer: Peer) -> None:
        await peer.sign_in()
        await peer.until("</presence>")
        await peer.until("</iq>")
        for number in (1, 2):
            peer.say(f"<iq type='result' id='h{number}' from='eve@chat.test/pc'/>")

    server.parts = [forge]
    client = Client(server, authority, policy=replace(HASTY, attempt_timeout_s=0.5))
    with pytest.raises(TimedOut):
        await client.connection.connect(ADA)


async def test_sending_needs_a_connection(server: Server, client: Client) -> None:
    with pytest.raises(NotConnected):
        await client.connection.send(b"<message/>")
    await client.connection.connect(ADA)
    await client.connection.send(b"<message id='m1'/>")
    peer = await server.peers.get()
    await peer.until("<message id='m1'/>")
    await client.connection.stop(Trigger.CLOSE)
    with pytest.raises(NotConnected):
        await client.connection.send(b"<message/>")


async def test_a_sender_waits_for_a_server_that_does_not_take_more(peer: Peer, client: Client) -> None:
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
    sent = 0

    async def flood() -> None:
        nonlocal sent
        while True:
            await client.connection.send(b"<message><body>%b</body></message>" % (b"x" * 50_000))
            sent += 1

    flooding = asyncio.ensure_future(flood())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.shield(flooding)
    assert 0 < sent < 2000, "a bounded amount waits"
    peer.writer.transport.abort()
    with pytest.raises(NotConnected):
        await flooding
