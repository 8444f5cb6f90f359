"""The one writer of a node: writes that wait at the same time share one durable commit (group commit).

A commit under `synchronous=FULL` waits for the disk, whatever it holds. So all jobs that wait go into one transaction;
then comes one commit, and only then are their callers told. What a job wrote that raises is undone alone. Most that
raise have written nothing. Where one has, the transaction is rolled back and done again, each job under a savepoint of
its own this time. A savepoint for each job from the start keeps a copy of every page that the job changes: a fifth more
for a registration, a half more for archived messages.

What waits (for the disk, for the lock of another process) is done by one thread. The statements themselves run on the
event loop, in turns of `TURN_S` at most: they take some microseconds each, and on a thread each of them would have to
win back the interpreter from a busy event loop. Measured with a loop at the full load of other connections: 16
registrations at once, 3,000/s so and 250/s with the statements on the thread.

Jobs that nobody waits for, such as messages for the archive, give way to those that somebody does: a batch with both
is committed before it has grown long. Under the load of 25,000 archived messages a second, a session was ended after
27 ms (p99: 290) where all stood in one line, and after 20 (60 to 145) since.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from heliograph.errors import StorageUnavailable
from heliograph.storage import sql
from heliograph.storage.database import RETRY_AFTER_S, Cursor
from heliograph.storage.job import Job

T = TypeVar("T")

log = structlog.get_logger("heliograph.storage")

JOBS_MAX = 4096
"""How many jobs may wait; further callers wait for room."""
BATCH_MAX = 512
"""How many jobs share a commit."""
TURN_S = 0.002
"""How long jobs may hold the event loop before others have their turn."""
LOCK_TIMEOUT_S = 10
"""How long a batch waits for a write of another process, such as the command line."""
TOUCH_DELAY_S = 3.0
"""The latest time after which a session's activity is written."""
TOUCHED_FLUSH = 500
"""How many active sessions are written without waiting for that."""
TOUCHED_MAX = 10_000


class SqliteWriter:
    """Group commit over one connection. Made, used and closed on one event loop.

    Args:
        connection: in autocommit mode, for any thread, with no timeout for locks; the writer owns and closes it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(JOBS_MAX)
        self._waiting: deque[Job] = deque()
        self._patient: deque[Job] = deque()
        self._is_waited_for = self._has_patient = False  # of this batch
        self._batch: list[Job] = []
        self._has_savepoints = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._touched: dict[str, float] = {}
        self._touched_in_batch: dict[str, float] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._steps: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="heliograph-writer", daemon=True)
        self._thread.start()

    async def write(
        self,
        work: Callable[[Cursor], T],
        alone_with: Sequence[str] = (),  # noqa: ARG002
        *,
        is_in_line: bool = False,  # noqa: ARG002
        is_patient: bool = False,
        meanwhile: Callable[[T], None] | None = None,
    ) -> T:
        """Run a function inside the next transaction; returns its result once that is durable.

        A caller that is cancelled leaves its job in the batch: what was handed over is written.

        Args:
            work: takes some microseconds; if it raises, what it wrote is rolled back. It may be run again.
            alone_with: makes no difference here: one transaction follows the other.
            is_in_line: nor does this.
            is_patient: a batch takes others first, and beside them one patient job.
            meanwhile: see `database.Writer`.

        Raises:
            StorageUnavailable: the transaction could not be begun or committed; its cause says why.
            Exception: whatever `work` raises.
        """
        await self._room.acquire()
        if self._is_closed:
            self._room.release()
            raise RuntimeError("The store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        (self._patient if is_patient else self._waiting).append(Job(work, future, meanwhile))
        self._wake()
        return await future

    def touch(self, session_id: str, now: float) -> None:
        """Note a session's activity for the next commit, which comes after `TOUCH_DELAY_S` at the latest.

        Where `TOUCHED_MAX` sessions wait for that already, it is left out: the next activity tells again.
        """
        if self._is_closed or len(self._touched) >= TOUCHED_MAX:
            return
        self._touched[session_id] = now
        if self._flush is None:
            self._flush = self._loop.call_later(TOUCH_DELAY_S, self._flush_touched)
        if len(self._touched) >= TOUCHED_FLUSH:
            self._wake()

    async def close(self) -> None:
        """Write all that was handed over, then close the connection. Callers that still wait for room are refused."""
        self._is_closed = True
        if self._flush is not None:
            self._flush.cancel()
        self._flush_touched()
        await self._idle.wait()
        self._steps.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _flush_touched(self) -> None:
        self._flush = None
        if self._touched:
            self._wake()

    def _wake(self) -> None:
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._begin)

    # -------------------------------------------------------------- one batch: begin, work, commit, end; then the next

    def _begin(self) -> None:
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                self._steps.put(self._begin_when_free)
            else:
                self._begun(error)
        else:
            self._begun(None)

    def _begin_when_free(self) -> None:
        """On the thread: wait for the lock that another process holds."""
        failure: sqlite3.Error | None = None
        try:
            self._cursor.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_S * 1000}")
            self._cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            failure = error
        self._cursor.execute("PRAGMA busy_timeout = 0")
        self._loop.call_soon_threadsafe(self._begun, failure)

    def _begun(self, failure: sqlite3.Error | None) -> None:
        if failure is not None:
            self._batch += (*self._waiting, *self._patient)
            self._waiting.clear()
            self._patient.clear()
            self._end(failure)
            return
        try:
            self._write_touched()
        except sqlite3.Error as error:
            self._end(error)
        else:
            self._work()

    def _work(self) -> None:
        """Run waiting jobs until the turn is over; when none is left for this batch or it is full, commit."""
        turn_ends = time.monotonic() + TURN_S
        while len(self._batch) < BATCH_MAX and (job := self._next()) is not None:
            self._batch.append(job)
            try:
                is_done = self._attempt(job)
            except sqlite3.Error as error:
                self._end(error)
                return
            if not is_done:
                self._do_again()
                return
            if time.monotonic() >= turn_ends:
                self._loop.call_soon(self._work)
                return
        self._steps.put(self._commit)

    def _next(self) -> Job | None:
        """The job that goes into this batch next; `None` where those that are in it should not wait for another.

        Patient jobs give way: the batch that somebody waits for takes one of them, so that they get on at all.
        """
        if self._waiting:
            self._is_waited_for = True
            return self._waiting.popleft()
        if not self._patient or (self._is_waited_for and self._has_patient):
            return None
        self._has_patient = True
        return self._patient.popleft()

    def _attempt(self, job: Job) -> bool:
        """Run one job; false where it raised after it had written, and there is no savepoint to go back to. Raises
        `sqlite3.Error` where the whole transaction is lost.
        """
        if self._has_savepoints:
            self._cursor.execute("SAVEPOINT job")
        before = self._connection.total_changes
        try:
            job.result = job.work(self._cursor)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not self._connection.in_transaction:
                raise  # such as a full disk
            if self._has_savepoints:
                self._cursor.execute("ROLLBACK TO job")
            elif self._connection.total_changes != before or not self._connection.in_transaction:
                return False
            job.error = error
        if self._has_savepoints:
            self._cursor.execute("RELEASE job")
        return True

    def _do_again(self) -> None:
        """Roll back, and begin anew with the jobs of this batch, in their order and under savepoints, so that no batch
        is done a third time.
        """
        try:
            self._cursor.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._end(error)
            return
        self._has_savepoints = True
        for job in self._batch:
            job.result, job.error = None, None
        self._waiting.extendleft(reversed(self._batch))
        self._batch = []
        self._touched = {**self._touched_in_batch, **self._touched}
        self._begin()

    def _write_touched(self) -> None:
        touched, self._touched = self._touched, {}
        self._touched_in_batch = touched
        if touched:
            self._cursor.executemany(sql.TOUCH_SESSION, [(now, session_id, now) for session_id, now in touched.items()])

    def _commit(self) -> None:
        """On the thread: wait for the disk. Only from here on has the event loop time for others: what it began before
        this thread has let go of the interpreter would hold the commit up.
        """
        if any(job.meanwhile is not None for job in self._batch):
            self._loop.call_soon_threadsafe(self._prepare)
        failure: sqlite3.Error | None = None
        try:
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            failure = error
        self._loop.call_soon_threadsafe(self._end, failure)

    def _prepare(self) -> None:
        for job in self._batch:
            job.prepare()

    def _end(self, failure: sqlite3.Error | None) -> None:
        batch, self._batch = self._batch, []
        self._has_savepoints = self._is_waited_for = self._has_patient = False
        if failure is not None:
            log.error("commit_failed", problem=str(failure), jobs=len(batch))
            # If even this fails, so does the next BEGIN, and comes here again.
            with contextlib.suppress(sqlite3.Error):
                self._cursor.execute("ROLLBACK")
        for job in batch:
            if failure is not None:
                job.error = StorageUnavailable(retry_after_s=RETRY_AFTER_S)
                job.error.__cause__ = failure
            self._room.release()
            job.resolve()
        is_flush_due = bool(self._touched) and self._flush is None
        if self._waiting or self._patient or is_flush_due:
            self._loop.call_soon(self._begin)
        else:
            self._idle.set()

    def _run(self) -> None:
        while (step := self._steps.get()) is not None:
            step()
