"""The cursor of a transaction in PostgreSQL, for the functions of `storage.stores`, which wait for nothing.

Such a function runs in a greenlet. Where it asks for rows that are still under way, the greenlet stands still and the
event loop goes on; statements whose answers nobody asks for are sent along with the next that is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from heliograph.storage import sql
from heliograph.storage.postgres.line import Answer, Line, Skipped

T = TypeVar("T")

_NUMBERED = {
    sql.ADD_ACCOUNT: f"{sql.ADD_ACCOUNT} RETURNING id",
    sql.ADD_SESSION: f"{sql.ADD_SESSION} RETURNING number",
    sql.ADD_PEP_NODE: f"{sql.ADD_PEP_NODE} RETURNING number",
}


class PostgresCursor:
    """The adapter of `Cursor` over a line; used inside of `run` alone."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._sent: list[Answer] = []
        self._last = Answer(line)

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        self.wait()
        return self._last.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The number of the row that the last statement inserted."""
        self.wait()
        row = self._last.row()
        return None if row is None else row[0]

    def execute(self, query: str, parameters: Sequence[Any] = (), /) -> PostgresCursor:
        """Run a statement."""
        self._last = self._line.send(_NUMBERED.get(query, query), parameters)
        self._sent.append(self._last)
        return self

    def executemany(self, query: str, parameters: Iterable[Sequence[Any]], /) -> PostgresCursor:
        """Run a statement for each of several rows."""
        for each in parameters:
            self.execute(query, each)
        return self

    def fetchone(self) -> Any:
        """The next row, or `None`."""
        self.wait()
        return self._last.row()

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        self.wait()
        return self._last.rows()

    def __iter__(self) -> Iterator[Any]:
        # All at once: the caller may run the next statement on this cursor before it has taken the last row.
        return iter(self.fetchall())

    def wait(self) -> None:
        """Stand still until all that was sent is answered; raises what one of these statements has failed with."""
        if self._sent:
            getcurrent().parent.switch(self._line.sync())
            self._check()

    async def settle(self) -> None:
        """The same outside of `run`."""
        if self._sent:
            await self._line.sync()
            self._check()

    async def undo(self, statement: str) -> None:
        """Take back what was done, whatever has failed meanwhile, by `ROLLBACK` or the like."""
        self._sent.clear()
        await self._line.sync()
        self.execute(statement)
        await self.settle()

    def _check(self) -> None:
        sent, self._sent = self._sent, []
        for answer in sent:
            if answer.error is not None and not isinstance(answer.error, Skipped):
                raise answer.error


async def run(cursor: PostgresCursor, work: Callable[[PostgresCursor], T]) -> T:
    """Run a function over a cursor; the last of its statements may be under way when it is done.

    Raises:
        Lost: the connection is gone.
        Exception: whatever `work` raises.
    """
    child = greenlet(work)
    asked: Any = child.switch(cursor)
    while not child.dead:
        try:
            await asked
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it is the function's to see
            asked = child.throw(error)
        else:
            asked = child.switch()
    done: T = asked
    return done
