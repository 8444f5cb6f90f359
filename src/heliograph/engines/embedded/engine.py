"""The embedded XMPP server: the `Engine` port over one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from heliograph.core import limits
from heliograph.core.blocking import BlockChange
from heliograph.core.contacts import RosterChange
from heliograph.core.ports import Ports
from heliograph.core.profiles import Profile
from heliograph.core.sessions import EndReason, Session, describe
from heliograph.engines.embedded.admission import Admission
from heliograph.engines.embedded.allowance import Allowance
from heliograph.engines.embedded.archiver import Archiver
from heliograph.engines.embedded.at_once import Begun, begin
from heliograph.engines.embedded.avatars import Avatars
from heliograph.engines.embedded.connection import Connection, Transport
from heliograph.engines.embedded.deadlines import Deadlines
from heliograph.engines.embedded.fan_out import FanOut, ProfileEvents
from heliograph.engines.embedded.handlers import STREAM_FEATURES, dispatch
from heliograph.engines.embedded.handlers.blocking import blocks_changed, reintroduce
from heliograph.engines.embedded.handlers.disco import server_caps, server_info
from heliograph.engines.embedded.handlers.presence import contacts_changed, show_photo, went_offline
from heliograph.engines.embedded.inline import InlineSignIn
from heliograph.engines.embedded.managed import ManagedStreams
from heliograph.engines.embedded.router import Resource, Router
from heliograph.engines.embedded.sign_in import SignIn
from heliograph.engines.embedded.tcp import CLOSE_TIMEOUT_S, TcpTransport
from heliograph.engines.embedded.turns import Turns
from heliograph.errors import HeliographError, PeerError
from heliograph.xmpp.c2s import ServerStream
from heliograph.xmpp.c2s_events import StreamEvent, Terms
from heliograph.xmpp.caps import Caps, caps_xml
from heliograph.xmpp.framing import TcpFraming, WebSocketFraming
from heliograph.xmpp.new_session import ended_session, new_session
from heliograph.xmpp.scram import END_POINT, ChannelBinding
from heliograph.xmpp.stanza import Stanza, stanza_error
from heliograph.xmpp.stanza_error import StanzaError
from heliograph.xmpp.stream import Limits, ReaderPool, StreamError

log = structlog.get_logger("heliograph.xmpp")

_BACKLOG = 4096
_SECRET_BYTES = 32
_APPS_EVERY_S = 1.0
_WRITES_PER_TURN = 128
"""How many connections are written to before others have their turn: a write takes 6 µs or more. A profile that goes to
thousands then holds up nobody who signs in or out meanwhile, and the next commit is under way while it is written.
"""
_UNAUTHENTICATED = Limits(limits.STANZA_MAX_BYTES_UNAUTHENTICATED, limits.STANZA_MAX_DEPTH, limits.STANZA_MAX_ELEMENTS)
"""What a stanza may cost before the client has signed in."""
_ANNOUNCED_KEPT = 256
"""How many announcements of sessions are remembered: more than there are between two looks into the audit trail."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What an operator may narrow; see `core.limits`."""

    stanza_max_bytes: int = limits.STANZA_MAX_BYTES
    authentication_timeout_s: float = limits.AUTHENTICATION_TIMEOUT_S
    pending_output_max_bytes: int = limits.PENDING_OUTPUT_MAX_BYTES
    stanzas_per_s: float = limits.STANZAS_PER_S
    has_archive: bool = True
    archive_messages_max: int = limits.ARCHIVE_MESSAGES
    connections_per_address_max: int = limits.CONNECTIONS_PER_ADDRESS_MAX
    unauthenticated_per_address_max: int = limits.UNAUTHENTICATED_PER_ADDRESS_MAX


@dataclass(frozen=True, slots=True)
class Listener:
    """An address to listen at: `port` 0 means any free one."""

    host: str
    port: int
    is_direct_tls: bool = False


class EmbeddedEngine:
    """The embedded XMPP server.

    Args:
        limits: bounds of connections.
        tls: certificate and key, or `None` to offer no TLS.
        secret: of the installation, from which tokens are derived and what unknown usernames are shown; `None` for one
            that lasts as long as the engine.
        end_point: the channel binding of that certificate (RFC 5929, section 4.1), if it has one.
        requires_tls: whether a TCP client must secure its stream before it signs in.
        contact_addresses: URIs by what they are for (XEP-0157).

    Attributes:
        hears_all: whether contacts and block lists are changed by this process alone, so that its tables hold what the
            stores do.
    """

    reaches_all = False
    hears_all = True

    def __init__(
        self,
        limits: EngineLimits,
        tls: ssl.SSLContext | None,
        *,
        secret: bytes | None = None,
        end_point: bytes | None = None,
        requires_tls: bool,
        contact_addresses: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.limits = limits
        self.router = Router()
        self.sign_in = SignIn(self)
        self.fan_out = FanOut(self)
        self.avatars = Avatars(self)
        self.managed = ManagedStreams(self)
        self.inline = InlineSignIn(self)
        self.archiver = Archiver(self, is_on=limits.has_archive, max_messages=limits.archive_messages_max)
        self.interests: dict[Caps, frozenset[str]] = {}  # the nodes that a client version wants to be notified of
        self.server_info = server_info(contact_addresses or {})
        self.started_at = 0.0
        self.noting = 0  # how many last words of users are being written
        self.ports: Ports
        self._ids = itertools.count(1)
        self.secret = b"" if secret is None else secret
        self._tls = tls
        self._binding = None if end_point is None else ChannelBinding(END_POINT, end_point)
        self._requires_tls = requires_tls
        self._hosts: set[str] = set()
        self._admission = Admission(limits.connections_per_address_max, limits.unauthenticated_per_address_max)
        self._connections: set[Connection] = set()
        self._pool = ReaderPool()
        self.unestablished = Deadlines(limits.authentication_timeout_s, Connection.late)
        self._closing = Deadlines(CLOSE_TIMEOUT_S, TcpTransport.abort)
        self._dirty: deque[Connection] = deque()
        self._announced: deque[tuple[str, EndReason | None]] = deque(maxlen=_ANNOUNCED_KEPT)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = asyncio.Event()  # a connection or a task is gone
        self._is_stopping = False
        self._terms: Terms
        self._turns: Turns
        self._loop: asyncio.AbstractEventLoop
        self._following: asyncio.Task[None]

    # ----------------------------------------------------------------------------------------------------- lifecycle

    async def start(self, ports: Ports, listeners: Sequence[Listener]) -> list[int]:
        """Begin to accept clients; returns the port of each listener."""
        self.ports = ports
        self.started_at = ports.clock.now()
        self._loop = asyncio.get_running_loop()
        self._turns = Turns(time.monotonic, self._loop.call_soon)
        self.secret = self.secret or ports.ids.random(_SECRET_BYTES)
        await self.archiver.start()
        await self._read_hosts()
        self._following = self._loop.create_task(self._follow_apps())
        self._terms = Terms(
            hosts=self._hosts.__contains__,
            limits=replace(_UNAUTHENTICATED, max_bytes=self.limits.stanza_max_bytes),
            random=ports.ids.random,
            secret=self.secret,
            has_tls=self._tls is not None,
            requires_tls=self._requires_tls,
            features=STREAM_FEATURES + caps_xml(server_caps(self.server_info)),
            max_attempts=limits.AUTHENTICATION_MAX_ATTEMPTS,
        )
        for listener in listeners:
            self._servers.append(await self._listen(listener))
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def _read_hosts(self) -> None:
        for app, _keys in await self.ports.apps.list():
            self._hosts |= {app.domain, app.sandbox_domain}

    async def _follow_apps(self) -> None:
        """Serve the domains of apps that are made while the node runs, by whatever process."""
        while True:
            await asyncio.sleep(_APPS_EVERY_S)
            try:
                await self._read_hosts()
            except PeerError as error:  # the database is away
                log.warning("apps_not_read", problem=error.code)
            except Exception:  # a failed look-up is tried again, it does not end the node
                log.exception("apps_not_read")

    async def _listen(self, listener: Listener) -> asyncio.Server:
        def accept() -> TcpTransport:
            return TcpTransport(
                self._accept_tcp, self._tls, self._turns, self._closing, is_direct_tls=listener.is_direct_tls
            )

        server = await self._loop.create_server(accept, listener.host, listener.port, backlog=_BACKLOG)
        for listening in server.sockets:  # what is accepted there inherits it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return server

    async def stop(self, drain_timeout_s: float) -> None:
        """Accept no more, tell every client, and wait until they are gone or the time is over."""
        self._is_stopping = True
        self._following.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.end(StreamError("system-shutdown"))
        self.managed.end_waiting()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_timeout_s):
                while self._connections or self._tasks:
                    self._left.clear()
                    await self._left.wait()
        for task in self._tasks:
            task.cancel()

    @property
    def is_reachable(self) -> bool:
        """Whether what the rules tell it reaches the clients: always, in this process."""
        return True

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    # --------------------------------------------------------------------------------------------------- connections

    def _accept_tcp(self, transport: TcpTransport, address: str) -> Connection:
        framing = TcpFraming(_UNAUTHENTICATED, self._pool)
        stream = ServerStream(framing, self._terms, transport.is_secure, self._binding)
        return self._accept(Connection(self, transport, stream, address, joins=True))

    def accept_websocket(self, transport: Transport, address: str) -> Connection:
        """A WebSocket with subprotocol `xmpp` was opened."""
        terms = replace(self._terms, has_tls=False)  # a WebSocket brings its own (RFC 7395, section 3.9)
        stream = ServerStream(WebSocketFraming(_UNAUTHENTICATED), terms, transport.is_secure)
        return self._accept(Connection(self, transport, stream, address, joins=False))

    def _accept(self, connection: Connection) -> Connection:
        self._connections.add(connection)
        has_room = self._admission.enter(connection.address)
        if self._is_stopping:
            self._loop.call_soon(connection.end, StreamError("system-shutdown"))
        elif not has_room:
            self._loop.call_soon(
                connection.end, StreamError("policy-violation", "Too many connections from this address")
            )
        return connection

    def established(self, connection: Connection) -> None:
        """A connection has signed in and bound its resource."""
        connection.established()
        self._admission.authenticated(connection.address)

    def charge(self, jid: str, units: float, now: float) -> float:
        """Count what a connection has sent against what all of its account's may; the seconds to wait."""
        account = self.router.accounts.get(jid)
        if account is None:
            return 0.0
        if account.allowance is None:
            rate = self.limits.stanzas_per_s * limits.STANZAS_ACCOUNT_FACTOR
            account.allowance = Allowance.full(rate, rate * limits.STANZAS_BURST_S, now)
        return account.allowance.take(units, now)

    def touch(self, resource: Resource) -> None:
        """Note that a resource's session is active, and when to note it next."""
        resource.touch_due = self._loop.time() + limits.SESSION_TOUCH_S
        self.ports.sessions.touch(resource.session_id, self.ports.clock.now())

    def leave(self, connection: Connection) -> None:
        """A connection's stream ended: nothing is routed to it any more, and those who saw it are told."""
        resource, connection.resource = connection.resource, None
        if resource is not None:
            connection.was_bound = True
            self.touch(resource)
            went_offline(self, resource)
        managed, connection.managed = connection.managed, None
        if managed is not None:
            self.managed.over(managed)
        self.sign_in.forget(connection)

    def forget(self, connection: Connection) -> None:
        """A connection's transport is gone."""
        self._connections.discard(connection)
        self._left.set()
        self._admission.leave(connection.address, was_authenticated=connection.was_bound)

    def flush_soon(self, connection: Connection) -> None:
        """Write what a connection has collected at the end of this event-loop turn, or in one of the next where many
        have collected something.
        """
        if not self._dirty:
            self._loop.call_soon(self._flush)
        self._dirty.append(connection)

    def _flush(self) -> None:
        dirty = self._dirty
        try:
            for _ in range(min(len(dirty), _WRITES_PER_TURN)):
                dirty.popleft().flush()
        finally:
            if dirty:
                self._loop.call_soon(self._flush)

    # ------------------------------------------------------------------------------------------------------- stanzas

    def handle(self, connection: Connection, stanza: Stanza) -> Coroutine[None, None, list[StreamEvent] | None] | None:
        """Handle one stanza of a bound stream; a coroutine comes back where that needs I/O."""
        return None if connection.resource is None else self.serve(connection.resource, stanza)

    def serve(self, resource: Resource, stanza: Stanza) -> Coroutine[None, None, list[StreamEvent] | None] | None:
        """Handle one stanza of a resource."""
        if self._loop.time() >= resource.touch_due:
            self.touch(resource)
        try:
            work = dispatch(self, resource, stanza)
        except Exception as error:  # noqa: BLE001 - a bug in one handler must end neither the stream nor the server
            _failed(resource, stanza, error)
            return None
        return None if work is None else _guarded(resource, stanza, work)

    def show_photo(self, jid: str, photo: str) -> None:
        """An account has another picture: its presence says so."""
        show_photo(self, jid, photo)

    def next_id(self) -> str:
        """The id of a stanza that the server sends of its own accord."""
        return f"hg{next(self._ids)}"

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that belongs to the engine, in a task; `stop` waits for it."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run such a coroutine at once, as far as it goes without waiting."""
        try:
            begun = begin(work)
        except Exception as error:  # noqa: BLE001 - as little a matter of the caller as that of a task
            _log_failure(error)
        else:
            if isinstance(begun, Begun):
                self.spawn(begun)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._left.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log_failure(error)

    # ------------------------------------------------------------------------------------------------ the Engine port

    def provision(self, jid: str) -> None:
        """See `Engine`."""
        self._hosts.add(jid.rpartition("@")[2])

    def disconnect_session(self, jid: str, session_id: str, reason: EndReason) -> None:
        """See `Engine`."""
        self.sign_in.end(jid, reason, session_id)
        self.managed.end_waiting(jid, session_id)

    def disconnect_account(self, jid: str, reason: EndReason) -> None:
        """See `Engine`."""
        self.sign_in.end(jid, reason)
        self.managed.end_waiting(jid)

    def prepare_profile(self, profile: Profile) -> Callable[[], None]:
        """See `Engine`."""
        return partial(self.publish, self.fan_out.prepare(profile))

    def publish(self, events: ProfileEvents) -> None:
        """Tell of a profile that is stored, as prepared."""
        self.fan_out.publish(events)
        self.avatars.changed(events.profile)

    def contacts_changed(self, changes: Sequence[RosterChange]) -> None:
        """See `Engine`."""
        contacts_changed(self, changes)

    def blocks_changed(self, change: BlockChange) -> None:
        """See `Engine`."""
        blocks_changed(self, change)
        if change.removed:
            self.fan_out.line_up(partial(reintroduce, self, change))

    def online(self, jid: str) -> list[str]:
        """See `Engine`."""
        return [resource.jid for resource in self.router.available(jid)]

    def announce_session(self, jid: str, session: Session, ended: EndReason | None = None) -> None:
        """See `Engine`."""
        if (session.id, ended) in self._announced:
            return
        self._announced.append((session.id, ended))
        facts = {name: str(value) for name, value in describe(session).items()}
        for resource in self.router.resources(jid):
            if resource.session_id == session.id:
                continue
            if ended is None:
                resource.outlet.send(new_session(jid, resource.jid, self.next_id(), facts))
            else:
                resource.outlet.send(ended_session(jid, resource.jid, self.next_id(), facts, ended.value))


def _log_failure(error: BaseException) -> None:
    log.error("task_failed", error_id=uuid.uuid4().hex, exc_info=error)


async def _guarded(resource: Resource, stanza: Stanza, work: Coroutine[None, None, None]) -> list[StreamEvent] | None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - a bug in one handler must end neither the stream nor the server
        _failed(resource, stanza, error)
    return None


def _failed(resource: Resource, stanza: Stanza, error: Exception) -> None:
    """Tell the sender what was wrong with the stanza; a bug is logged, and told by its id alone."""
    answer: bytes | None
    if isinstance(error, StanzaError):
        answer = error.answer(stanza, resource.jid)
    elif isinstance(error, HeliographError):
        answer = stanza_error(stanza, resource.jid, *error.row.stanza, text=error.message)
    else:
        error_id = uuid.uuid4().hex
        log.error("handler_failed", error_id=error_id, stanza=stanza.name, exc_info=error)
        answer = stanza_error(stanza, resource.jid, "cancel", "internal-server-error", f"Error {error_id}")
    if answer is not None:
        resource.outlet.send(answer)
