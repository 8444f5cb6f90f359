"""Rosters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.errors import AccountNotFound
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer, next_mark

Items = tuple[RosterItem | None, RosterItem | None]
Decision = Callable[[RosterItem | None, RosterItem | None, int, int], Items]
DecisionOfMany = Callable[[str, RosterItem | None, RosterItem | None, int, int], Items]


class SqlContacts:
    """The adapter of `ContactStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def roster(self, jid: str) -> list[RosterItem]:
        """All items of a user's roster, hidden ones too."""
        return [rows.item(row) for row in await self._reader.rows(sql.ROSTER, (jid,))]

    async def version(self, jid: str) -> int:
        """How often a user's roster has changed."""
        row = await self._reader.row(sql.ROSTER_VERSION, (jid,))
        return int(row[0]) if row else 0

    async def lookup(self, owner: str, contact: str) -> RosterItem | None:
        """One item."""
        row = await self._reader.row(sql.ROSTER_ITEM, (owner, contact))
        return None if row is None else rows.item(row)

    async def change(self, owner: str, contact: str, decide: Decision) -> list[RosterChange]:
        """One atomic change of both sides; `AccountNotFound` where the owner is no account."""
        work = partial(change_pair, owner=owner, contact=contact, decide=decide)
        return await self._writer.write(work, (owner, contact), is_in_line=True)

    async def change_many(self, owner: str, contacts: Sequence[str], decide: DecisionOfMany) -> list[RosterChange]:
        """The same with many contacts in one transaction; those that are no account are passed over."""
        work = partial(_change_many, owner=owner, contacts=contacts, decide=decide)
        return await self._writer.write(work, (owner, *contacts), is_in_line=True)


def change_pair(cursor: Cursor, owner: str, contact: str, decide: Decision) -> list[RosterChange]:
    """Change both sides within a transaction; see `ContactStore.change`."""
    ids: dict[str, int] = dict(cursor.execute(sql.ACCOUNT_IDS, (owner, contact)))
    if owner not in ids:
        raise AccountNotFound
    sides = ((owner, contact), (contact, owner))
    before = [_item(cursor, ids.get(whose), of) for whose, of in sides]
    counts = [_count(cursor, ids.get(whose)) for whose, _ in sides]
    after = decide(before[0], before[1], counts[0], counts[1])
    changes = []
    for (whose, of), old, new in zip(sides, before, after, strict=True):
        if whose in ids and new != old:
            written = _write(cursor, ids[whose], (whose, of), old, new)
            changes.append(RosterChange(whose, of, written, version=next_version(cursor, whose)))
    return changes


def next_version(cursor: Cursor, owner: str) -> int:
    """Count a change of a user's roster."""
    found = cursor.execute(sql.NEXT_ROSTER_VERSION, (owner,)).fetchall()  # all, so that the statement is done
    return int(found[0][0]) if found else 0


def _change_many(cursor: Cursor, owner: str, contacts: Sequence[str], decide: DecisionOfMany) -> list[RosterChange]:
    changes = []
    for contact in contacts:
        if cursor.execute(sql.IS_ACCOUNT, (contact,)).fetchone() is not None:
            changes += change_pair(cursor, owner, contact, partial(decide, contact))
    return changes


def _item(cursor: Cursor, owner_id: int | None, contact: str) -> RosterItem | None:
    row = None if owner_id is None else cursor.execute(sql.ROSTER_ITEM_OF, (owner_id, contact)).fetchone()
    return None if row is None else rows.item(row)


def _count(cursor: Cursor, owner_id: int | None) -> int:
    if owner_id is None:
        return 0
    (count,) = cursor.execute(sql.COUNT_ROSTER, (owner_id,)).fetchone()
    return int(count)


def _write(
    cursor: Cursor, owner_id: int, side: tuple[str, str], old: RosterItem | None, new: RosterItem | None
) -> RosterItem | None:
    """Write one side: the owner and the contact are `side`. Whom the owner sees from now on is news for the owner."""
    owner, contact = side
    if new is None:
        cursor.execute(sql.DELETE_ITEM, (owner_id, contact))
        return None
    if new.is_watched and not (old is not None and old.is_watched):
        new = replace(new, mark=next_mark(cursor, owner))
    cursor.execute(sql.PUT_ITEM, rows.item_row(new, owner_id))
    return new
