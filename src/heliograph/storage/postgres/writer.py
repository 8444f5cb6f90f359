"""Transactions in PostgreSQL.

The transactions of `storage.stores` are functions over a cursor, so each runs on a thread with a connection of its own.
Several run at once, on this node and on others. One that names what it must be alone with takes an advisory lock on
each name first (PostgreSQL manual, section 13.3.5) and gives it back with its commit; everything else is kept apart by
row locks and unique indexes. Where PostgreSQL gives a transaction up in favour of another, it is run again.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
import structlog
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from heliograph.errors import OutcomeUnknown, StorageUnavailable
from heliograph.storage import sql
from heliograph.storage.database import RETRY_AFTER_S, Cursor
from heliograph.storage.postgres.connection import WAIT_TIMEOUT_S, Reach, pooling, translated

T = TypeVar("T")

JOBS_MAX = 4096
"""How many transactions may wait; further callers wait for room."""
ATTEMPTS_MAX = 8
TOUCH_DELAY_S = 3.0
"""The latest time after which a session's activity is written."""
TOUCHED_MAX = 10_000

_AGAIN = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation, errors.LockNotAvailable)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_NUMBERED = {
    sql.ADD_ACCOUNT: " RETURNING id",
    sql.ADD_SESSION: " RETURNING number",
    sql.ADD_PEP_NODE: " RETURNING number",
}

log = structlog.get_logger("heliograph.storage")


class PostgresCursor:
    """A psycopg cursor that speaks the SQL of `sql`."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        self._cursor = cursor
        self._number: int | None = None

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The number of the row that the last statement inserted."""
        return self._number

    def execute(self, query: str, parameters: Sequence[Any] = (), /) -> PostgresCursor:
        """Run a statement."""
        ending = _NUMBERED.get(query)
        self._cursor.execute(translated(query if ending is None else query + ending), parameters)
        if ending is not None:
            row = self._cursor.fetchone()
            self._number = None if row is None else row[0]
        return self

    def executemany(self, query: str, parameters: Iterable[Sequence[Any]], /) -> PostgresCursor:
        """Run a statement for each of several rows, all on their way at once."""
        self._cursor.executemany(translated(query), parameters)
        return self

    def fetchone(self) -> Any:
        """The next row, or `None`."""
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        return self._cursor.fetchall()

    def __iter__(self) -> Iterator[Any]:
        # All at once: the caller may run the next statement on this cursor before it has taken the last row.
        return iter(self._cursor.fetchall())


class PostgresWriter:
    """Transactions on threads; `async with` opens and closes them.

    Args:
        url: of the database.
        connections_max: how many transactions run at once.
    """

    def __init__(self, url: str, connections_max: int) -> None:
        self._pool: ConnectionPool = ConnectionPool(
            url, check=ConnectionPool.check_connection, **pooling("heliograph-writer", connections_max)
        )
        self._threads = ThreadPoolExecutor(connections_max, thread_name_prefix="heliograph-postgres")
        self._room = asyncio.Semaphore(JOBS_MAX)
        self._reach = Reach()
        self._touched: dict[str, float] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._pool.open, wait=True, timeout=WAIT_TIMEOUT_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._flushing
        await self._flush()
        self._is_closed = True
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._pool.close)

    async def write(self, work: Callable[[Cursor], T], alone_with: Sequence[str] = ()) -> T:
        """Run a function inside a transaction of its own; returns its result once that is durable. See
        `database.Writer`.
        """
        async with self._room:
            if self._is_closed:
                raise RuntimeError("The store is closed")
            touched, self._touched = self._touched, {}
            attempt = functools.partial(self._run, work, sorted(set(alone_with)), touched)
            running = asyncio.get_running_loop().run_in_executor(self._threads, attempt)
            running.add_done_callback(functools.partial(self._keep_untold, touched))
            # What was handed over is written, whether or not its caller still waits.
            return await asyncio.shield(running)

    def _keep_untold(self, touched: dict[str, float], done: asyncio.Future[Any]) -> None:
        """The activity that a transaction was to write is still to be written if it was rolled back."""
        if not done.cancelled() and done.exception() is not None:
            self._touched = touched | self._touched

    def touch(self, session_id: str, now: float) -> None:
        """Note a session's activity, for the next transaction, or some seconds later. What is too much is left out."""
        if self._is_closed or len(self._touched) >= TOUCHED_MAX:
            return
        self._touched[session_id] = now
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush_later())

    async def _flush_later(self) -> None:
        await asyncio.sleep(TOUCH_DELAY_S)
        self._flushing = None
        try:
            await self._flush()
        except (StorageUnavailable, OutcomeUnknown) as error:
            log.warning("activity_not_written", problem=error.code)

    async def _flush(self) -> None:
        if self._touched:
            await self.write(lambda _cursor: None)

    def _run(self, work: Callable[[Cursor], T], alone_with: Sequence[str], touched: dict[str, float]) -> T:
        activity = [(now, session_id, now) for session_id, now in sorted(touched.items())]  # in one order everywhere
        for attempt in range(1, ATTEMPTS_MAX + 1):
            is_done = False
            try:
                with (
                    self._pool.connection(self._reach.patience_s) as connection,
                    connection.transaction(),
                    connection.cursor() as cursor,
                ):
                    for name in alone_with:
                        cursor.execute(_LOCK, (name,))
                    ours = PostgresCursor(cursor)
                    if activity:
                        ours.executemany(sql.TOUCH_SESSION, activity)
                    result = work(ours)
                    is_done = True
            except _AGAIN as error:
                if attempt == ATTEMPTS_MAX:
                    raise StorageUnavailable(retry_after_s=RETRY_AFTER_S) from error
                time.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - to keep two from meeting again
            except (psycopg.OperationalError, errors.ReadOnlySqlTransaction, PoolTimeout) as error:
                self._reach.failed(error)
                # The commit was on its way, and what has become of it was to come over this connection.
                outcome = OutcomeUnknown if is_done else StorageUnavailable
                raise outcome(retry_after_s=RETRY_AFTER_S) from error
            else:
                self._reach.answered()
                return result
        raise AssertionError("unreachable")
