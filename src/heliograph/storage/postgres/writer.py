"""Transactions in PostgreSQL.

Most run by themselves, several at once, on this node and on others. One that names what it must be alone with takes an
advisory lock on each name first (PostgreSQL manual, section 13.3.5) and gives it back with its commit; everything else
is kept apart by row locks and unique indexes. Where PostgreSQL gives a transaction up in favour of another, it is run
again.

Those that write the audit trail or take a mark would wait for each other's commits anyway, as each of them changes the
one row that counts. They stand in line: one lock lets one node at a time through, with all that waits there in one
transaction, each under a savepoint of its own, and with one commit (group commit). So they are in one order on all
nodes, and each node hears of its own in that order.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog
from psycopg import errors

from heliograph.errors import OutcomeUnknown, StorageUnavailable
from heliograph.storage import sql
from heliograph.storage.database import RETRY_AFTER_S, Cursor
from heliograph.storage.job import Job
from heliograph.storage.postgres.cursor import PostgresCursor, run
from heliograph.storage.postgres.line import Lost
from heliograph.storage.postgres.lines import AWAY, Lines

T = TypeVar("T")

JOBS_MAX = 4096
"""How many transactions may wait; further callers wait for room."""
BATCH_MAX = 60
"""How many share a commit. PostgreSQL remembers 64 savepoints of a transaction where looking them up is cheap."""
BATCH_S = 0.05
"""How long one holds the line before its commit."""
ATTEMPTS_MAX = 8
TOUCH_DELAY_S = 3.0
"""The latest time after which a session's activity is written."""
TOUCHED_MAX = 10_000

_AGAIN = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation, errors.LockNotAvailable)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))"
_LINE = "the line of all that is counted"
"""The name of the lock; no JID and no hash reads so."""

log = structlog.get_logger("heliograph.storage")


class _Unheard(Exception):
    """The connection was lost while the commit was under way."""


class _Job(Job):
    """One that names what it must be alone with, and may be tried again."""

    __slots__ = ("attempts", "names")

    def __init__(
        self,
        work: Callable[[Cursor], Any],
        names: Sequence[str],
        future: asyncio.Future[Any],
        meanwhile: Callable[[Any], None] | None,
    ) -> None:
        super().__init__(work, future, meanwhile)
        self.names = names
        self.attempts = 0

    @property
    def is_due_again(self) -> bool:
        """Whether it is worth another try: PostgreSQL has given it up in favour of another one, or the connection that
        it was begun on was lost, once.
        """
        if isinstance(self.error, Lost):
            return self.attempts == 1
        return isinstance(self.error, _AGAIN) and self.attempts < ATTEMPTS_MAX

    def begin(self) -> None:
        """One more try."""
        self.attempts += 1
        self.error = None


class PostgresWriter:
    """The adapter of `Writer`; `async with` opens and closes it.

    Args:
        url: of the database.
        connections_max: how many transactions run at once.
    """

    def __init__(self, url: str, connections_max: int) -> None:
        self._lines = Lines(url, connections_max)
        self._room = asyncio.Semaphore(JOBS_MAX)
        self._waiting: deque[_Job] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._in_line: asyncio.Task[None] | None = None
        self._touched: dict[str, float] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_closed = True
        if self._flush is not None:
            self._flush.cancel()
        self._flush_touched()
        while self._running:
            await asyncio.wait(self._running)
        self._lines.close()

    async def write(
        self,
        work: Callable[[Cursor], T],
        alone_with: Sequence[str] = (),
        *,
        is_in_line: bool = False,
        is_patient: bool = False,  # noqa: ARG002 - nothing stands in line behind it
        meanwhile: Callable[[T], None] | None = None,
    ) -> T:
        """Run a function inside a transaction; returns its result once that is durable. What was handed over is
        written, whether or not its caller still waits. See `database.Writer`.
        """
        await self._room.acquire()
        if self._is_closed:
            self._room.release()
            raise RuntimeError("The store is closed")
        job = _Job(work, sorted(set(alone_with)), asyncio.get_running_loop().create_future(), meanwhile)
        job.future.add_done_callback(self._done)
        if is_in_line:
            self._waiting.append(job)
            self._wake()
        else:
            self._start(self._run_alone(job))
        return await asyncio.shield(job.future)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._room.release()
        future.exception()  # it is told to whoever still waits, and to nobody else

    def touch(self, session_id: str, now: float) -> None:
        """Note a session's activity, for the next commit of the line, or some seconds later. What is too much is left
        out: the next activity tells again.
        """
        if self._is_closed or len(self._touched) >= TOUCHED_MAX:
            return
        self._touched[session_id] = now
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(TOUCH_DELAY_S, self._flush_touched)

    def _flush_touched(self) -> None:
        self._flush = None
        if self._touched:
            self._wake()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _wake(self) -> None:
        if self._in_line is None or self._in_line.done():
            self._in_line = self._start(self._run_line())

    # ------------------------------------------------------------------------------------------- one by itself, at once

    async def _run_alone(self, job: _Job) -> None:
        while True:
            job.begin()
            try:
                async with self._lines.own() as line:
                    await _transact(PostgresCursor(line), job, job.names)
            except Exception as error:  # noqa: BLE001 - it ends in the job, whose caller is told
                job.error = error
            if not job.is_due_again:
                self._resolve(job)
                return
            await asyncio.sleep(random.uniform(0, 0.005 * 2**job.attempts))  # noqa: S311 - so that two do not meet again

    # -------------------------------------------------------------------------- the line: a batch, its commit, the next

    async def _run_line(self) -> None:
        while self._waiting or self._touched:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
            touched, self._touched = self._touched, {}
            left: Sequence[_Job] = ()
            for job in batch:
                job.begin()
            try:
                async with self._lines.own() as line:
                    left = await _transact_all(PostgresCursor(line), batch, touched)
            except Exception as error:  # noqa: BLE001 - it ends in the jobs, whose callers are told
                for job in batch:
                    job.error = job.error or error
                if batch:
                    self._touched = touched | self._touched  # without a caller it is left out, or this had no end
            again = [job for job in batch if job.is_due_again]
            for job in left:
                job.attempts -= 1  # its turn has not come
            self._waiting.extendleft(reversed([*again, *left]))
            for job in batch:
                if job not in again and job not in left:
                    self._resolve(job)

    def _resolve(self, job: _Job) -> None:
        error = job.error
        if error is None:
            self._lines.answered()
        elif isinstance(error, (_Unheard, *AWAY, *_AGAIN)) and not isinstance(error, errors.UniqueViolation):
            self._lines.failed(error)
            told = OutcomeUnknown if isinstance(error, _Unheard) else StorageUnavailable
            job.error = told(retry_after_s=RETRY_AFTER_S)
            job.error.__cause__ = error
        if isinstance(error, errors.ReadOnlySqlTransaction):
            self._lines.close()  # another server is the one that takes writes now
        job.resolve()


async def _transact(cursor: PostgresCursor, job: _Job, names: Iterable[str]) -> None:
    """One job as a transaction; what it raises, it leaves nothing of."""
    _begin(cursor, names)
    try:
        job.result = await run(cursor, job.work)
        await _commit(cursor, (job,))
    except (Lost, _Unheard):
        raise
    except Exception as error:  # noqa: BLE001 - it is the caller's
        job.error = error
        await cursor.undo("ROLLBACK")


async def _transact_all(cursor: PostgresCursor, batch: Sequence[_Job], touched: dict[str, float]) -> Sequence[_Job]:
    """A batch as one transaction, at the head of the line; gives those jobs for which the time was too short.

    Locks come before all rows, and in one order everywhere, so that nobody waits for a lock with a row in hand.
    """
    if len(batch) == 1 and not touched:
        (job,) = batch
        await _transact(cursor, job, (_LINE, *job.names))
        return ()
    _begin(cursor, (_LINE, *sorted({name for job in batch for name in job.names})))
    cursor.executemany(sql.TOUCH_SESSION, [(now, session_id, now) for session_id, now in sorted(touched.items())])
    await cursor.settle()
    ends_at = asyncio.get_running_loop().time() + BATCH_S
    left: Sequence[_Job] = ()
    for number, job in enumerate(batch):
        if number > 0 and asyncio.get_running_loop().time() >= ends_at:
            left = batch[number:]
            break
        await _attempt(cursor, job)
    await _commit(cursor, batch[: len(batch) - len(left)])
    return left


def _begin(cursor: PostgresCursor, names: Iterable[str]) -> None:
    cursor.execute("BEGIN")
    cursor.executemany(_LOCK, [(name,) for name in names])


async def _attempt(cursor: PostgresCursor, job: _Job) -> None:
    """One job under its savepoint."""
    cursor.execute("SAVEPOINT job")
    try:
        job.result = await run(cursor, job.work)
        await cursor.settle()
    except Lost:
        raise
    except Exception as error:  # noqa: BLE001 - it is the caller's
        job.error = error
        await cursor.undo("ROLLBACK TO job")
    cursor.execute("RELEASE job")


async def _commit(cursor: PostgresCursor, jobs: Iterable[Job]) -> None:
    cursor.execute("COMMIT")
    for job in jobs:
        if job.meanwhile is not None:
            asyncio.get_running_loop().call_soon(job.prepare)
    try:
        await cursor.settle()
    except Lost as error:
        raise _Unheard(str(error)) from error
