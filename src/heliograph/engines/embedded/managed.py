"""Streams under stream management (XEP-0198): what they keep, and how they outlive their connection.

A stream that is not managed pays nothing for this: when a client enables management, a `ManagedOutlet` takes the place
of the connection as its resource's outlet, and leaves it with the resource.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

import structlog

from heliograph.core import limits
from heliograph.engines.embedded.client_state import HoldingOutlet, become_active
from heliograph.engines.embedded.handlers.presence import went_offline
from heliograph.engines.embedded.handlers.undelivered import undelivered
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import stream_management
from heliograph.xmpp.c2s_events import StreamEvent
from heliograph.xmpp.stream import StreamError
from heliograph.xmpp.stream_management import Acked, AckWanted, EnableWanted, Ledger, Management, ResumeWanted

if TYPE_CHECKING:
    from heliograph.engines.embedded.connection import Connection
    from heliograph.engines.embedded.engine import EmbeddedEngine

log = structlog.get_logger("heliograph.xmpp")


NOTHING_TO_RESUME = stream_management.failed("item-not-found")


class ManagedOutlet:
    """Where the stanzas of a managed stream go out: its connection, while it has one; its ledger keeps them.

    Args:
        streams: all managed streams.
        resource: the resource whose outlet this is.
        connection: the stream's first connection.
        stream_id: what the client resumes it by; `None` where it asked for no resumption.
        ttl_s: how long it waits without a connection.
    """

    def __init__(
        self, streams: ManagedStreams, resource: Resource, connection: Connection, stream_id: str | None, ttl_s: int
    ) -> None:
        self.resource = resource
        self.connection: Connection | None = connection
        self.id = stream_id
        self.ttl_s = ttl_s
        self.ledger = Ledger(limits.SM_QUEUE_MAX_STANZAS, limits.SM_QUEUE_MAX_BYTES)
        self.timer: asyncio.TimerHandle | None = None
        self.lost_at: float | None = None
        self.asked = self.answered = 0
        self._streams = streams
        self._is_scheduled = False

    def send(self, data: bytes) -> None:
        """Keep a stanza until it is acknowledged, and send it if there is a connection."""
        self.ledger.add(data)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._settle)  # before the connection writes, so that one write does
        if self.connection is not None:
            self.connection.send(data)

    def end(self, error: StreamError) -> None:
        """End the stream with an error; one without a connection is over at once."""
        if self.connection is not None:
            self.connection.end(error)
        else:
            self._streams.expire(self)

    def ask(self) -> None:
        """Ask what the client has handled, if that is worth asking."""
        if self.connection is not None and self.ledger.ask():
            self.connection.send(stream_management.REQUEST)

    def _settle(self) -> None:
        """Once an event-loop turn: ask for an acknowledgement, or give up a stream that acknowledges too little."""
        self._is_scheduled = False
        if self.ledger.is_full:
            self.end(StreamError("resource-constraint", "Too many stanzas were not acknowledged"))
        else:
            self.ask()


class ManagedStreams:
    """All managed streams of a server, and those of them that wait for a new connection."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self._resumable: dict[str, ManagedOutlet] = {}
        self._waiting: dict[str, list[ManagedOutlet]] = {}  # by account, the longest waiting first

    def handle(self, connection: Connection, said: Management) -> Coroutine[None, None, list[StreamEvent]] | None:
        """Do what a client asks for; a coroutine comes back where its stream waits for the answer."""
        managed = connection.managed
        match said:
            case ResumeWanted():
                if connection.resource is None:
                    return self._resume(connection, said)
                connection.send(stream_management.failed("unexpected-request"))
            case EnableWanted():
                connection.send(self.enable(connection, said))
            case AckWanted() if managed is not None:
                self._acknowledge(connection, managed)
            case Acked(handled) if managed is not None:
                self._acknowledged(connection, managed, handled)
            case _:
                connection.end(StreamError("unsupported-stanza-type", "The stream is not managed"))
        return None

    def enable(self, connection: Connection, wanted: EnableWanted) -> bytes:
        """Manage a connection's stream from now on, once it has a resource; the answer for the client (section 3)."""
        resource = connection.resource
        if resource is None or connection.managed is not None:
            return stream_management.failed("unexpected-request")
        ttl_s = limits.RESUME_TTL_S if wanted.max_s is None else min(wanted.max_s, limits.RESUME_TTL_S)
        is_resumable = wanted.is_resumable and ttl_s > 0
        stream_id = self._engine.ports.ids.random(limits.SM_ID_BYTES).hex() if is_resumable else None
        managed = connection.managed = ManagedOutlet(self, resource, connection, stream_id, ttl_s)
        if isinstance(resource.outlet, HoldingOutlet):
            resource.outlet.outlet = managed
        else:
            resource.outlet = managed
        if stream_id is not None:
            self._resumable[stream_id] = managed
        return stream_management.enabled(stream_id, ttl_s)

    def _acknowledge(self, connection: Connection, managed: ManagedOutlet) -> None:
        """Say what was handled (section 4), once what of it goes into archives is durable."""
        managed.asked += 1
        if managed.resource.archived <= self._engine.archiver.settled:
            managed.answered = managed.asked
            connection.send(stream_management.ack(managed.ledger.handled))
        else:
            self._engine.spawn(self._acknowledge_later(connection, managed, managed.asked, managed.ledger.handled))

    async def _acknowledge_later(
        self, connection: Connection, managed: ManagedOutlet, asked: int, handled: int
    ) -> None:
        await self._engine.archiver.settle()
        if managed.answered < asked:  # no later request was answered meanwhile
            managed.answered = asked
            connection.send(stream_management.ack(handled))

    def _acknowledged(self, connection: Connection, managed: ManagedOutlet, handled: int) -> None:
        try:
            is_asking = managed.ledger.acknowledge(handled)
        except StreamError as error:
            connection.end(error)
            return
        if is_asking:
            managed.ask()

    # -------------------------------------------------------------------------------------------- a lost connection

    def hibernate(self, connection: Connection, *, has_left: bool = False) -> bool:
        """A connection was lost: whether its stream waits for the next one. It stays in the router as it is.

        One whose client said that it goes away does not wait for long.
        """
        managed = connection.managed
        if managed is None or managed.id is None or connection.resource is None:
            return False
        self._engine.touch(managed.resource)
        connection.let_go()
        managed.connection = None
        loop = asyncio.get_running_loop()
        managed.lost_at = loop.time()
        ttl_s = min(managed.ttl_s, limits.RESUME_LEFT_TTL_S) if has_left else managed.ttl_s
        managed.timer = loop.call_later(ttl_s, self.expire, managed)
        waiting = self._waiting.setdefault(managed.resource.account, [])
        waiting.append(managed)
        if len(waiting) > limits.SM_WAITING_PER_ACCOUNT_MAX:
            self.expire(waiting[0])
        return True

    async def _resume(self, connection: Connection, wanted: ResumeWanted) -> list[StreamEvent]:
        """What a client asks for in place of binding a resource."""
        await self._engine.archiver.settle()  # the answer says what was handled
        managed = self.find(connection, wanted)
        if managed is None:
            return connection.stream.refuse_resume(NOTHING_TO_RESUME)
        if connection.is_gone:
            return []
        jid = managed.resource.jid
        return self.go_on(connection, managed, wanted, lambda answer: connection.stream.resumed(jid, answer))

    def find(self, connection: Connection, wanted: ResumeWanted) -> ManagedOutlet | None:
        """The stream that a connection may go on with: the same session takes up what it left, no other."""
        managed = self._resumable.get(wanted.id)
        return managed if managed is not None and _is_same(managed, connection) else None

    def go_on(
        self,
        connection: Connection,
        managed: ManagedOutlet,
        wanted: ResumeWanted,
        tell: Callable[[bytes], list[StreamEvent]],
    ) -> list[StreamEvent]:
        """Give a waiting stream its new connection (section 5).

        Args:
            connection: the new one.
            managed: the stream.
            wanted: what the client has handled of it.
            tell: tells the stream machine, with the answer for the client.
        """
        try:
            lacking = managed.ledger.resume(wanted.handled)
        except StreamError as error:
            connection.end(error)
            return []
        self._detach(managed)
        managed.connection, managed.lost_at = connection, None
        events = tell(stream_management.resumed(wanted.id, managed.ledger.handled))
        connection.adopt(managed)
        self._engine.established(connection)
        for stanza in lacking:
            connection.send(stanza)
        become_active(managed.resource)
        managed.ask()
        return events

    def _detach(self, managed: ManagedOutlet) -> None:
        """Take a stream from its old connection, which may not have noticed that it is dead, or from its wait."""
        older, managed.connection = managed.connection, None
        if older is not None:
            older.let_go()
            older.end(StreamError("conflict", "The stream was resumed on another connection"))
        self._stop_waiting(managed)

    def _stop_waiting(self, managed: ManagedOutlet) -> None:
        if managed.timer is None:
            return
        managed.timer.cancel()
        managed.timer = None
        waiting = self._waiting[managed.resource.account]
        waiting.remove(managed)
        if not waiting:
            del self._waiting[managed.resource.account]

    # ------------------------------------------------------------------------------------------------------ the end

    def expire(self, managed: ManagedOutlet) -> None:
        """A stream is over that waited for a connection: its resource is gone."""
        if managed.timer is None:
            return
        self._stop_waiting(managed)
        went_offline(self._engine, managed.resource)
        self.over(managed)

    def over(self, managed: ManagedOutlet) -> None:
        """A stream is over and out of the router: what its client has not got goes another way."""
        if managed.id is not None:
            self._resumable.pop(managed.id, None)
        lost_at = asyncio.get_running_loop().time() if managed.lost_at is None else managed.lost_at
        undelivered(self._engine, managed.resource, managed.ledger.take(), lost_at)

    def end_waiting(self, jid: str | None = None, session_id: str | None = None) -> None:
        """End the streams that wait for a connection: all, those of an account, or those of one of its sessions."""
        groups = list(self._waiting.values()) if jid is None else [self._waiting.get(jid, [])]
        for managed in [each for group in groups for each in group]:
            if session_id is None or managed.resource.session_id == session_id:
                self.expire(managed)


def _is_same(managed: ManagedOutlet, connection: Connection) -> bool:
    resource = managed.resource
    return resource.account == connection.account and resource.session_id == connection.stream.session_id
