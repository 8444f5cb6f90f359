"""The connection of a user: one stream at a time, kept up by the table of `states`."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from functools import partial

from heliograph.errors import AlreadyConnected, NotConnected, Unreachable
from heliograph.sdk.endings import ACCOUNT_DELETED, ADMIN_BLOCKED, Ending
from heliograph.sdk.events import AdminBlockUpdate, ConnectionUpdate, Event, UserDeleted
from heliograph.sdk.inbox import Inbox
from heliograph.sdk.reconnect import backoff_s
from heliograph.sdk.resource import Resource, Terms
from heliograph.sdk.states import FINAL, ConnectionStatus, Trigger, next_status
from heliograph.sdk.stream import Credentials, Stream
from heliograph.xmpp import jid

_random = secrets.SystemRandom().random
_log = logging.getLogger("heliograph.sdk")


class Connection:
    """The one connection of an SDK.

    Args:
        terms: how to connect.
        emit: gets the events.
        on_session_end: is told whose session is over, before the event is out.

    Attributes:
        status: the present state.
    """

    def __init__(
        self, terms: Terms, emit: Callable[[Event], None], on_session_end: Callable[[Credentials], None]
    ) -> None:
        self.status = ConnectionStatus.DISCONNECTED
        self._terms = terms
        self._emit = emit
        self._on_session_end = on_session_end
        self._credentials: Credentials | None = None
        self._inbox: Inbox | None = None
        self._stream: Stream | None = None
        self._task: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    @property
    def user_jid(self) -> str | None:
        """The bare JID of whom the connection is for, while it stands or is being made."""
        is_active = self._task is not None and not self._task.done()
        return self._credentials.user_jid if is_active and self._credentials is not None else None

    # ----------------------------------------------------------------------------------------------------- the calls

    async def connect(self, credentials: Credentials) -> None:
        """Connect, and stay connected until `stop`. While connected as that user nothing happens.

        Raises:
            AlreadyConnected: connected as another user.
            HeliographError: it did not work; it will not be tried again by itself.
        """
        async with self._connecting:
            if self.user_jid not in (None, credentials.user_jid):
                raise AlreadyConnected
            if self.user_jid is not None and self.status is ConnectionStatus.CONNECTED:
                return
            await self._end_task()
            self._move(Trigger.CONNECT)
            first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(
                self._run(self._resource(credentials), first), name="heliograph connection"
            )
            self._task.add_done_callback(partial(_give_up, first))
            try:
                await first
            except asyncio.CancelledError:
                await self.stop(Trigger.CLOSE)
                raise

    async def stop(self, trigger: Trigger, reason: str | None = None) -> None:
        """End the connection: `CLOSE` to come back later, `SESSION_ENDED` where the session is over."""
        self._move(trigger, reason)
        await self._end_task()

    async def send(self, stanza: bytes) -> None:
        """Send a stanza, once the server has taken those before it.

        Raises:
            NotConnected: there is no connection at the moment.
        """
        stream = self._stream
        if stream is None:
            raise NotConnected
        await stream.room()
        if not stream.send(stanza):
            raise NotConnected

    def _resource(self, credentials: Credentials) -> Resource:
        """Whoever comes back is not told again what was told before."""
        known = self._credentials
        if self._inbox is None or known is None or known.user_jid != credentials.user_jid:
            self._inbox = Inbox(jid.parse(credentials.user_jid))
        self._credentials = credentials
        return Resource(credentials, self._terms, self._inbox, self._emit)

    async def _end_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    def _move(self, trigger: Trigger, reason: str | None = None, attempt: int | None = None) -> None:
        status = next_status(self.status, trigger)
        if status is None:
            return
        self.status = status
        if status is ConnectionStatus.LOGOUT:
            self._inbox = None
            if self._credentials is not None:
                self._on_session_end(self._credentials)
        self._emit(ConnectionUpdate(status=status, reason=reason, attempt=attempt))
        if status in FINAL and self._credentials is not None:
            self._tell_why(reason, self._credentials)

    def _tell_why(self, reason: str | None, user: Credentials) -> None:
        if reason == ADMIN_BLOCKED:
            self._emit(AdminBlockUpdate(user_id=user.username, user_jid=user.user_jid, is_admin_blocked=True))
        elif reason == ACCOUNT_DELETED:
            self._emit(UserDeleted(user_id=user.username, user_jid=user.user_jid))

    # ------------------------------------------------------------------------------------------------------ the loop

    async def _run(self, resource: Resource, first: asyncio.Future[None]) -> None:
        """Connect for the caller who waits on `first`, then again whenever the connection is lost."""
        attempt = 0
        while True:
            found = await resource.attempt()
            if isinstance(found, Stream):
                found, is_stable = await self._hold(resource, found, first)
                attempt = 0 if is_stable else attempt
            self._conclude(found)
            if not first.done():
                first.set_exception(found.error)
                return
            if self.status in FINAL:
                return
            attempt += 1
            await asyncio.sleep(backoff_s(self._terms.policy, attempt, _random()))
            self._move(Trigger.RETRY, attempt=attempt)

    async def _hold(self, resource: Resource, stream: Stream, first: asyncio.Future[None]) -> tuple[Ending, bool]:
        """Be connected; comes back with why that ended, and whether it had held for long."""
        now = asyncio.get_running_loop().time
        since = now()
        self._stream = stream
        self._move(Trigger.BOUND)
        if not first.done():
            first.set_result(None)
        try:
            how = await resource.hold(stream)
        finally:
            self._stream = None
        return how, now() - since >= self._terms.policy.stable_after_s

    def _conclude(self, how: Ending) -> None:
        """An attempt failed, or a stream ended."""
        _log.info("connection: %s (%s)", how.reason, how.error.message)
        self._move(how.trigger, how.reason)


def _give_up(first: asyncio.Future[None], _task: asyncio.Task[None]) -> None:
    """Whoever still waits for the connection waits in vain: the task was stopped, maybe before it began."""
    if not first.done():
        first.set_exception(Unreachable("The connection was closed"))
