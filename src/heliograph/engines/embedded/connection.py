"""One client connection: bytes from a transport to the stream machine, its questions to `core`, its stanzas to the
handlers.

Stanzas of one stream are handled in order. A handler that needs I/O holds the rest of its stream back; one that does
not runs to its end at once, without a task. What goes out is collected and written once an event-loop turn.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Protocol

import structlog

from heliograph.core import limits
from heliograph.engines.embedded.allowance import UNITS_PER_BYTE, Allowance
from heliograph.engines.embedded.at_once import Done, begin
from heliograph.engines.embedded.client_state import become_active, become_inactive
from heliograph.engines.embedded.router import Resource
from heliograph.errors import PeerError
from heliograph.xmpp.c2s import ServerStream, State
from heliograph.xmpp.c2s_events import (
    AdmissionWanted,
    AuthenticationDone,
    BindWanted,
    StreamClosed,
    StreamEvent,
    TlsWanted,
)
from heliograph.xmpp.client_state import ClientState
from heliograph.xmpp.sasl_claims import BearerWanted, CredentialsWanted, TokensWanted
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import StreamError
from heliograph.xmpp.stream_management import Acked, AckWanted, EnableWanted, ResumeWanted

if TYPE_CHECKING:
    from heliograph.core.sign_ins import SignedIn
    from heliograph.engines.embedded.engine import EmbeddedEngine
    from heliograph.engines.embedded.managed import ManagedOutlet

log = structlog.get_logger("heliograph.xmpp")

_HANDLERS_PER_TURN = 4
"""How many handlers of one client that look into the stores may follow each other before the event loop turns to
others.
"""

Work = Coroutine[None, None, "Sequence[StreamEvent] | None"]
"""What of an event has to wait for I/O; what comes of it are further events."""


class Transport(Protocol):
    """What a connection needs of TCP or WebSocket."""

    is_secure: bool

    @property
    def is_behind(self) -> bool:
        """Whether the peer has not taken all yet."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes; on a WebSocket, one message."""
        ...

    def pending_bytes(self) -> int:
        """How much the peer has not taken yet."""
        ...

    def start_tls(self) -> None:
        """Speak TLS from the next byte on."""
        ...

    def pause(self) -> None:
        """Read no more for now."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...

    def close(self) -> None:
        """Send what is pending, then close."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Connection:
    """A client's connection, from the accepted socket to the bound resource.

    Args:
        engine: the server that it belongs to.
        transport: where bytes go.
        stream: the stream machine.
        address: the peer's network address.
        joins: whether pieces written in one turn may be joined (TCP) or must stay apart (WebSocket).
    """

    __slots__ = (
        "_allowance",
        "_backlog",
        "_engine",
        "_is_busy",
        "_is_dirty",
        "_is_full",
        "_joins",
        "_output",
        "_pause",
        "_paused_s",
        "_paused_until",
        "_transport",
        "_waiting_bytes",
        "account",
        "account_id",
        "address",
        "is_gone",
        "known",
        "managed",
        "resource",
        "stream",
        "was_bound",
    )

    def __init__(
        self, engine: EmbeddedEngine, transport: Transport, stream: ServerStream, address: str, *, joins: bool
    ) -> None:
        self._engine = engine
        self._transport = transport
        self.stream = stream
        self.address = address
        self._joins = joins
        self.account = ""
        self.account_id = 0
        self.resource: Resource | None = None
        self.managed: ManagedOutlet | None = None
        self.known: tuple[int, SignedIn] | None = None  # of the account, until a resource is bound; see `SignIn`
        self.is_gone = False
        self.was_bound = False
        self._output: list[bytes] = []
        self._backlog: deque[StreamEvent] | None = None
        self._waiting_bytes = 0
        self._is_busy = self._is_dirty = self._is_full = False
        loop = asyncio.get_running_loop()
        rate = engine.limits.stanzas_per_s
        self._allowance = Allowance.full(rate, rate * limits.STANZAS_BURST_S, loop.time())
        self._pause: asyncio.TimerHandle | None = None
        self._paused_until = self._paused_s = 0.0
        engine.unestablished.add(self)

    # ------------------------------------------------------------------------------------------------------ incoming

    def receive(self, data: bytes) -> None:
        """Bytes came."""
        events = self.stream.receive(data)
        self._pump()  # what the machine answers goes out before what the handlers add
        allowance = self._allowance
        allowance.left -= len(events) + len(data) * UNITS_PER_BYTE
        if allowance.left < 0:
            self._slow_down()
        if self._is_busy:
            self._waiting_bytes += len(data)
        self._handle(events)

    def _handle(self, events: list[StreamEvent]) -> None:
        """Handle events in order; what needs I/O goes on in a task."""
        if self._is_busy:
            self._defer(events)
            return
        work = self._run(events)
        if work is not None:
            self._engine.spawn(self._finish(work))

    def _run(self, events: Sequence[StreamEvent]) -> Work | None:
        """Handle events in order, until one of them needs I/O: that comes back, and the others wait for it."""
        answered = 0
        while events:
            work, rest = self._run_up_to_work(events)
            if work is None:
                return None
            if isinstance(work, list):  # answered at once, which is the rule
                answered += 1
                self._pump()
                if answered < _HANDLERS_PER_TURN:
                    events = [*work, *rest]
                    continue
                work = _next_turn(work)
            self._is_busy = True
            self._defer(rest)
            return work
        return None

    def _run_up_to_work(
        self, events: Sequence[StreamEvent]
    ) -> tuple[Work | list[StreamEvent] | None, Sequence[StreamEvent]]:
        """Handle events in order up to one that brings others or needs I/O; what comes of it, and the events behind."""
        resource = self.resource
        turn_ends = 0 if resource is None else resource.answered + _HANDLERS_PER_TURN
        for number, event in enumerate(events, 1):
            if self.is_gone:
                break
            if type(event) is not Stanza:
                work = self._negotiate(event)
                if work is not None:
                    return work, events[number:]
                continue
            if self.managed is not None:
                self.managed.ledger.count()
            work = self._engine.handle(self, event)
            if work is not None:
                return work, events[number:]
            if resource is not None and resource.answered >= turn_ends:
                return _next_turn(), events[number:]
        return None, ()

    def _defer(self, events: Sequence[StreamEvent]) -> None:
        if not events:
            return
        if self._backlog is None:
            self._backlog = deque()
        self._backlog.extend(events)
        is_full = (
            len(self._backlog) > limits.PENDING_INPUT_MAX_STANZAS
            or self._waiting_bytes > limits.PENDING_INPUT_MAX_BYTES
        )
        if is_full and not self._is_full:
            self._is_full = True
            self._transport.pause()

    async def _finish(self, work: Work) -> None:
        """Run a handler that needs I/O, then those that waited for it; so what a client has sent at once is answered in
        one write where the store answers at once. Every few of them, other clients have their turn.
        """
        for number in itertools.count(1):
            try:
                events = await work
                if number % _HANDLERS_PER_TURN == 0:
                    await asyncio.sleep(0)
            except Exception:
                self.end(StreamError("internal-server-error"))
                raise
            finally:
                self._is_busy = False
            following = self._go_on(events)
            if following is None:
                return
            work = following

    def _go_on(self, events: Sequence[StreamEvent] | None) -> Work | None:
        """A handler is done: handle what it has brought, and what waited for it."""
        waiting, self._backlog = self._backlog, None
        self._waiting_bytes = 0
        if self._is_full:
            self._is_full = False
            self._read_on()
        self._pump()
        return self._run([*(events or ()), *(waiting or ())])

    def _read_on(self) -> None:
        """Read again, unless there is another reason not to."""
        if not self._is_full and self._pause is None:
            self._transport.resume()

    def _slow_down(self) -> None:
        """The client has sent what it may, or its user has: read no more until it may send again. One that never
        stops is disconnected.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        units = self._allowance.refill(now)
        wait_s = max(self._allowance.lack_s, self._engine.charge(self.account, units, now))
        if not wait_s or self._pause is not None:
            return
        wait_s += limits.STANZAS_PAUSE_MIN_S
        if now > self._paused_until + limits.STANZAS_CALM_S:
            self._paused_s = 0.0
        self._paused_s += wait_s
        self._paused_until = now + wait_s
        if self._paused_s > limits.STANZAS_PAUSES_MAX_S:
            log.info("client_sends_too_much", address=self.address)
            self.end(StreamError("policy-violation", "Too many stanzas were sent"))
            return
        self._transport.pause()
        self._pause = loop.call_later(wait_s, self._end_pause)

    def _end_pause(self) -> None:
        self._pause = None
        self._read_on()

    def _negotiate(self, event: StreamEvent) -> Work | list[StreamEvent] | None:
        match event:
            case TlsWanted():
                self.flush()
                self._transport.start_tls()
                self.stream.tls_established()
            case CredentialsWanted() | BearerWanted() | TokensWanted():
                return self._answer(self._engine.sign_in.look_up(self, event))
            case AdmissionWanted():
                return self._answered(self._engine.inline.admit(self, event))
            case AuthenticationDone():
                return self._engine.sign_in.done(self, event)
            case BindWanted():
                return self._answer(self._engine.sign_in.bind(self, event))
            case StreamClosed():
                self._engine.leave(self)
                self._pump(is_farewell=True)
                self._close()
            case EnableWanted() | ResumeWanted() | AckWanted() | Acked():
                work = self._engine.managed.handle(self, event)
                return None if work is None else self._answered(work)
            case ClientState() if self.resource is not None:
                (become_active if event.is_active else become_inactive)(self.resource)
        return None

    def _answer(self, work: Coroutine[None, None, list[StreamEvent]]) -> Work | list[StreamEvent]:
        """Answer a question of the stream, at once if its store does not wait."""
        try:
            begun = begin(work)
        except Exception as error:  # noqa: BLE001 - see `_unanswered`
            return self._unanswered(error)
        return begun.result if isinstance(begun, Done) else self._answered(begun)

    async def _answered(self, work: Coroutine[None, None, list[StreamEvent]]) -> list[StreamEvent]:
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - as there
            return self._unanswered(error)

    def _unanswered(self, error: Exception) -> list[StreamEvent]:
        """A question whose answer cannot be found out must end neither the stream nor the server: the client is told.
        That the database is away is logged where that is found out; a bug in a look-up has an id in the log.
        """
        if isinstance(error, PeerError):
            return self.stream.unanswered(error.message, *error.row.stanza)
        error_id = uuid.uuid4().hex
        log.error("sign_in_unanswered", error_id=error_id, exc_info=error)
        return self.stream.unanswered(f"Error {error_id}")

    def adopt(self, managed: ManagedOutlet) -> None:
        """Carry on a stream that another connection began; what the stream machine said of it goes out first."""
        self._pump()
        self.resource, self.managed = managed.resource, managed

    def let_go(self) -> None:
        """The stream goes on without this connection."""
        self.resource = self.managed = None
        self.was_bound = True
        self._engine.sign_in.forget(self)

    # ------------------------------------------------------------------------------------------------------ outgoing

    def send(self, data: bytes) -> None:
        """Send a stanza, encoded for TCP; it is written at the end of this event-loop turn."""
        if self.is_gone:
            return
        self._output.append(data if self._joins else self.stream.framing.stanza(data))
        if not self._is_dirty:
            self._is_dirty = True
            self._engine.flush_soon(self)

    def _pump(self, *, is_farewell: bool = False) -> None:
        """Take over what the stream machine wants to send; its farewell waits until what came before is handled."""
        if self.stream.state is State.CLOSED and not is_farewell:
            return
        pieces = self.stream.data_to_send()
        if pieces:
            self._output += pieces
            if not self._is_dirty:
                self._is_dirty = True
                self._engine.flush_soon(self)

    def flush(self) -> None:
        """Write what was collected; a peer that takes too little is cut off."""
        self._is_dirty = False
        output, self._output = self._output, []
        if not output:
            return
        transport = self._transport
        if transport.is_behind and transport.pending_bytes() > self._engine.limits.pending_output_max_bytes:
            log.info("peer_too_slow", address=self.address)
            transport.abort()
            return
        if self._joins:
            transport.write(output[0] if len(output) == 1 else b"".join(output))
        else:
            for piece in output:
                transport.write(piece)

    # ----------------------------------------------------------------------------------------------------- the end

    def established(self) -> None:
        """A resource is bound: the time to authenticate was enough."""
        self._engine.unestablished.discard(self)

    def late(self) -> None:
        """It was not."""
        self.end(StreamError("connection-timeout", "Authentication took too long"))

    def end(self, error: StreamError) -> None:
        """End the stream with an error and close."""
        if self.is_gone:
            return
        self._engine.leave(self)
        self.stream.close(error)
        self._pump(is_farewell=True)
        self._close()

    def _close(self) -> None:
        self.flush()
        self.is_gone = True
        self._transport.close()

    def lost(self, *, has_left: bool = False) -> None:
        """The transport is gone; `has_left`: the client said that it goes away."""
        if not self._engine.managed.hibernate(self, has_left=has_left):
            self._engine.leave(self)
        self.is_gone = True
        self.established()
        if self._pause is not None:
            self._pause.cancel()
        self.stream.framing.close()
        self._engine.forget(self)


async def _next_turn(events: list[StreamEvent] | None = None) -> list[StreamEvent] | None:
    """Let others have their turn, then go on with those events."""
    await asyncio.sleep(0)
    return events
