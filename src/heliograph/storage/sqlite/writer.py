"""The one writer of a node: a thread that lets writes which wait at the same time share one durable commit.

A commit under `synchronous=FULL` waits for the disk, whatever it holds. So the thread takes all jobs that wait, runs
each under a savepoint of its own, where one that raises is rolled back alone, commits once, and only then tells their
callers.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, TypeVar

from heliograph.storage import sql

T = TypeVar("T")

JOBS_MAX = 4096
"""How many jobs may wait; further callers wait for room."""
TOUCHED_MAX = 10_000
TOUCH_DELAY_S = 3.0
"""The latest time after which a session's activity is written."""


class CommitFailed(Exception):
    """A batch could not be committed; nothing of it was written. Its cause says why."""


class _Job:
    """One write: a function over the connection, and who waits for its result."""

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Cursor], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: Exception | None = None

    def resolve(self) -> None:
        """Tell the waiting caller, unless it has gone."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class _Signal(Enum):
    """What else the thread is told."""

    FLUSH = auto()
    STOP = auto()


class Writer:
    """Group commit over one connection. Made, used and closed on one event loop.

    Args:
        connection: in autocommit mode; the writer owns and closes it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Job | _Signal] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(JOBS_MAX)
        self._touched: dict[str, float] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="heliograph-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[sqlite3.Cursor], T]) -> T:
        """Run a function inside the next transaction; returns its result once that is durable.

        A caller that is cancelled leaves its job in the batch: what was handed over is written.

        Args:
            work: runs on the writer's thread; if it raises, what it wrote is rolled back.

        Raises:
            CommitFailed: the transaction could not be committed.
            Exception: whatever `work` raises.
        """
        await self._room.acquire()
        if self._is_closed:
            self._room.release()
            raise RuntimeError("The store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Job(work, future))
        return await future

    def touch(self, session_id: str, now: float) -> None:
        """Note a session's activity for the next commit, which comes after `TOUCH_DELAY_S` at the latest.

        Where more than `TOUCHED_MAX` sessions wait for that, further ones are left out: the next activity tells again.
        """
        if self._is_closed or len(self._touched) >= TOUCHED_MAX:
            return
        self._touched[session_id] = now
        if self._flush is None:
            self._flush = self._loop.call_later(TOUCH_DELAY_S, self._flush_touched)

    async def close(self) -> None:
        """Write all that waits, then close the connection."""
        if not self._is_closed:
            self._is_closed = True
            if self._flush is not None:
                self._flush.cancel()
            self._queue.put(_Signal.STOP)
        await asyncio.to_thread(self._thread.join)

    def _flush_touched(self) -> None:
        self._flush = None
        self._queue.put(_Signal.FLUSH)

    # ------------------------------------------------------------------------------------------ on the writer's thread

    def _run(self) -> None:
        is_running = True
        while is_running:
            waiting = self._take_all()
            jobs = [entry for entry in waiting if isinstance(entry, _Job)]
            is_running = _Signal.STOP not in waiting
            if jobs or self._touched:
                self._commit(jobs)
            if jobs:
                self._loop.call_soon_threadsafe(self._resolve, jobs)
        self._connection.close()

    def _take_all(self) -> list[_Job | _Signal]:
        """Wait for the first entry, then take all that are there."""
        waiting = [self._queue.get()]
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(self._queue.get_nowait())
        return waiting

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            self._write_touched()
            for job in jobs:
                self._attempt(job)
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            # If even this fails, so does the next BEGIN, and comes here again.
            with contextlib.suppress(sqlite3.Error):
                self._cursor.execute("ROLLBACK")
            for job in jobs:
                job.error = CommitFailed(str(error))
                job.error.__cause__ = error

    def _attempt(self, job: _Job) -> None:
        """Run one job under its savepoint. A failure that ended the whole transaction shows when that is missing."""
        self._cursor.execute("SAVEPOINT job")
        try:
            job.result = job.work(self._cursor)
        except Exception as error:  # noqa: BLE001 - raised again where the caller waits
            job.error = error
            self._cursor.execute("ROLLBACK TO job")
        self._cursor.execute("RELEASE job")

    def _write_touched(self) -> None:
        # `popitem` is one step, so the event loop may go on adding.
        touched = [self._touched.popitem() for _ in range(len(self._touched))]
        if touched:
            self._cursor.executemany(sql.TOUCH_SESSION, [(now, session_id, now) for session_id, now in touched])

    # ---------------------------------------------------------------------------------------------- on the event loop

    def _resolve(self, jobs: list[_Job]) -> None:
        for job in jobs:
            self._room.release()
            job.resolve()
