"""What the stores ask of a database: look-ups, and transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from heliograph.core.user_jids import domain_of
from heliograph.storage import sql
from heliograph.storage.rows import Row

T = TypeVar("T")

RETRY_AFTER_S = 2.0
"""When a call is worth another try that found the database away."""


class Cursor(Protocol):
    """Runs the statements of one transaction, one after the other, as a cursor of DB-API 2.0 (PEP 249) does."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    @property
    def lastrowid(self) -> int | None:
        """The number of the row that the last statement inserted, where the database hands out numbers."""
        ...

    def execute(self, query: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Run a statement; its rows are then fetched from what comes back."""
        ...

    def executemany(self, query: str, parameters: Iterable[Sequence[Any]], /) -> object:
        """Run a statement for each of several rows."""
        ...

    def fetchone(self) -> Any:
        """The next row, or `None`."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Reader(Protocol):
    """Look-ups. Each sees every commit that was acknowledged before it; or raises `StorageUnavailable`."""

    async def row(self, query: str, parameters: Sequence[Any]) -> Row | None:
        """The first row, if there is one."""
        ...

    async def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows."""
        ...


class Writer(Protocol):
    """Transactions."""

    async def write(
        self,
        work: Callable[[Cursor], T],
        alone_with: Sequence[str] = (),
        *,
        is_in_line: bool = False,
        is_patient: bool = False,
        meanwhile: Callable[[T], None] | None = None,
    ) -> T:
        """Run a function inside a transaction; returns its result once that is durable.

        Args:
            work: may be run again, where the transaction has to be repeated. If it raises, nothing is written.
            alone_with: names of what no other transaction works on meanwhile that names it, too: an account's bare JID
                where a decision depends on more than one of its rows.
            is_in_line: whether it writes the audit trail or takes a mark, for which all such transactions of the
                database wait for each other: they are in one order on all nodes, and share commits.
            is_patient: whether nobody waits for it, so that transactions for which somebody does may overtake it. Those
                that are patient stay in their order.
            meanwhile: gets the result while the commit is under way, on the event loop, which has nothing else to do
                for this caller then. It can prepare what comes next, and tell nobody: the commit may still fail.

        Raises:
            StorageUnavailable: the transaction could not be run or committed; nothing of it was written.
            OutcomeUnknown: whether it was committed is not known.
            Exception: whatever `work` raises.
        """
        ...

    def touch(self, session_id: str, now: float) -> None:
        """Note a session's activity; it is written some seconds later, together with that of others."""
        ...


def new_row(cursor: Cursor) -> int:
    """The number of the row that was just inserted."""
    number = cursor.lastrowid
    if number is None:
        raise RuntimeError("No row was inserted")
    return number


def next_mark(cursor: Cursor, jid: str) -> int:
    """The next mark of a JID's domain (migration 11); 0 where the domain is none of this installation."""
    found = cursor.execute(sql.NEXT_MARK, (domain_of(jid),)).fetchall()  # all, so that the statement is done
    return int(found[0][0]) if found else 0
