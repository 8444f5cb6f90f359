"""The audit trail: how the other stores write to it, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import takewhile

from heliograph.core import audit, limits, webhooks
from heliograph.core.apps import Environment
from heliograph.core.audit import Entry, Event, Head, Owner
from heliograph.storage import rows, sql_audit
from heliograph.storage.database import Cursor, Reader, Writer


class SqlAudit:
    """The adapter of `AuditStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def head(self, app_id: str) -> Head:
        """The newest entry of an app's chain."""
        row = await self._reader.row(sql_audit.HEAD, (app_id,))
        return audit.EMPTY if row is None else Head(*row)

    async def heads(self) -> dict[str, int]:
        """The number of the newest entry of each app's chain."""
        return dict(await self._reader.rows(sql_audit.HEADS))

    async def chain(self, app_id: str, after: int, limit: int) -> list[Entry]:
        """The entries behind a number, in order."""
        return [rows.entry(row) for row in await self._reader.rows(sql_audit.CHAIN, (app_id, after, limit))]

    async def of_user(self, jid: str, since: float, before: int, limit: int) -> list[Entry]:
        """What concerns a user, the newest first."""
        return [
            rows.entry(row) for row in await self._reader.rows(sql_audit.ENTRIES_OF_USER, (jid, since, before, limit))
        ]

    async def of_app(self, app_id: str, environment: Environment, before: int, limit: int) -> list[Entry]:
        """What concerns an app's users, the newest first."""
        found = await self._reader.rows(sql_audit.ENTRIES_OF_APP, (app_id, environment.value, before, limit))
        return [rows.entry(row) for row in found]

    async def anchor(self, app_id: str) -> Head:
        """The entry behind which an app's chain begins."""
        row = await self._reader.row(sql_audit.ANCHOR, (app_id,))
        return audit.EMPTY if row is None else Head(*row)

    async def forget(self, since: float, now: float, limit: int) -> int:
        """Let the oldest entries of each chain go, and tell of it there."""
        found = await self._reader.rows(sql_audit.CHAINS_WITH_OLD, (since - limits.AUDIT_FORGOTTEN_EVERY_S,))
        gone = [
            await self._writer.write(partial(_forget, app_id=app_id, since=since, now=now, limit=limit))
            for (app_id,) in found
        ]
        return sum(gone)


def _forget(cursor: Cursor, app_id: str, since: float, now: float, limit: int) -> int:
    cursor.execute(sql_audit.HEAD_TO_EXTEND, (app_id, *audit.EMPTY)).fetchone()  # nobody else works on this chain now
    first = cursor.execute(sql_audit.FIRST_ENTRIES, (app_id, limit)).fetchall()
    old = [*takewhile(lambda row: row[2] < since, first)]
    if not old:
        return 0  # another node was faster
    anchor = Head(*old[-1][:2])
    cursor.execute(sql_audit.FORGET_ENTRIES, (app_id, anchor.number))
    cursor.execute(sql_audit.SET_ANCHOR, (*anchor, app_id))
    record(cursor, [audit.of_forgotten(app_id, anchor, now)])
    return len(old)


def owner_of(cursor: Cursor, account_id: int) -> Owner | None:
    """Whom an event about an account concerns."""
    row = cursor.execute(sql_audit.OWNER, (account_id,)).fetchone()
    return None if row is None else Owner(row[0], rows.environment(row[1]), row[2])


def record(cursor: Cursor, events: Iterable[Event]) -> None:
    """Write what has happened into the trail, and a message to each webhook that wants it, inside the transaction of
    the change itself.

    Args:
        cursor: of the transaction.
        events: in order, all of one app and environment.
    """
    told = [*events]
    if not told:
        return
    owner = told[0].owner
    head = Head(*cursor.execute(sql_audit.HEAD_TO_EXTEND, (owner.app_id, *audit.EMPTY)).fetchone())
    entries = []
    for event in told:
        entry = audit.seal(head, event)
        head = Head(entry.number, entry.hash)
        entries.append(entry)
    cursor.executemany(sql_audit.ADD_ENTRY, [rows.entry_row(entry) for entry in entries])
    cursor.execute(sql_audit.SET_HEAD, (*head, owner.app_id))
    wanted = [entry for entry in entries if entry.event.kind in webhooks.KINDS]
    if wanted:
        _queue(cursor, owner, wanted)


def _queue(cursor: Cursor, owner: Owner, entries: Sequence[Entry]) -> None:
    wanting = cursor.execute(sql_audit.WEBHOOKS_THAT_WANT, (owner.app_id, owner.environment.value)).fetchall()
    for webhook_id, kinds in wanting:
        for entry in entries:
            if entry.event.kind in rows.kinds(kinds):
                _add_message(cursor, webhook_id, entry)


def _add_message(cursor: Cursor, webhook_id: str, entry: Entry) -> None:
    if cursor.execute(sql_audit.TAKE_PLACE, (webhook_id, limits.WEBHOOK_WAITING_MAX)).rowcount == 0:
        cursor.execute(sql_audit.COUNT_DROPPED, (webhook_id,))
    else:
        cursor.execute(sql_audit.ADD_MESSAGE, rows.message_row(webhooks.message(webhook_id, entry)))
