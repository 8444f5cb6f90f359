"""Block lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from heliograph.core.user_jids import domain_of
from heliograph.errors import AccountNotFound
from heliograph.storage import sql
from heliograph.storage.database import Cursor, Reader, Writer, next_mark

Decision = Callable[[frozenset[str]], frozenset[str]]


class SqlBlocks:
    """The adapter of `BlockStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def blocked(self, jid: str) -> frozenset[str]:
        """All whom a user blocks."""
        return frozenset(row[0] for row in await self._reader.rows(sql.BLOCKED, (jid,)))

    async def blockers(self, forms: tuple[str, str, str, str]) -> frozenset[str]:
        """The bare JIDs of the users whose lists hold one of these entries."""
        return frozenset(row[0] for row in await self._reader.rows(sql.BLOCKERS, forms))

    async def change(self, jid: str, decide: Decision) -> tuple[frozenset[str], frozenset[str]]:
        """One atomic change: the list before it, and after it; `AccountNotFound`, and whatever `decide` raises."""
        return await self._writer.write(partial(_change, jid=jid, decide=decide), (jid,), is_in_line=True)


def _change(cursor: Cursor, jid: str, decide: Decision) -> tuple[frozenset[str], frozenset[str]]:
    found = cursor.execute(sql.ACCOUNT_IDS, (jid, jid)).fetchone()
    if found is None:
        raise AccountNotFound
    account_id = found[1]
    before = frozenset(row[0] for row in cursor.execute(sql.BLOCKED, (jid,)))
    after = decide(before)
    cursor.executemany(sql.ADD_BLOCK, [(account_id, entry) for entry in sorted(after - before)])
    removed = sorted(before - after)
    cursor.executemany(sql.DELETE_BLOCK, [(account_id, entry) for entry in removed])
    _mark(cursor, jid, removed)
    return before, after


def _mark(cursor: Cursor, jid: str, removed: Sequence[str]) -> None:
    """Give a new mark to the roster items by which the owner and those who are no longer blocked see each other. An
    entry for a resource or a domain stands for all contacts that it covers.
    """
    if not removed:
        return
    mark = next_mark(cursor, jid)
    contacts = [contact for contact, *_ in cursor.execute(sql.ROSTER, (jid,))]
    freed = [contact for contact in contacts if any(_covers(entry, contact) for entry in removed)]
    cursor.executemany(sql.MARK_ITEM, [pair for each in freed for pair in ((mark, each, jid), (mark, jid, each))])


def _covers(entry: str, contact: str) -> bool:
    """Whether an entry of a block list keeps something of a contact back: its account, a resource, or its domain."""
    account = entry.partition("/")[0]
    return contact == account or ("@" not in account and domain_of(contact) == account)
