"""The audit trail in SQLite: how the other stores write to it, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable

from heliograph.core import audit, limits, webhooks
from heliograph.core.apps import Environment
from heliograph.core.audit import Entry, Event, Head, Owner
from heliograph.storage import rows, sql_audit
from heliograph.storage.database import Cursor, Reader


class SqlAudit:
    """The adapter of `AuditStore`; its methods are documented there."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

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


def owner_of(cursor: Cursor, account_id: int) -> Owner | None:
    """Whom an event about an account concerns."""
    row = cursor.execute(sql_audit.OWNER, (account_id,)).fetchone()
    return None if row is None else Owner(row[0], rows.environment(row[1]), row[2])


def record(cursor: Cursor, events: Iterable[Event]) -> None:
    """Write what has happened into the trail, and a message to each webhook that wants it, inside the transaction of
    the change itself.
    """
    heads: dict[str, Head] = {}
    for event in events:
        app_id = event.owner.app_id
        if app_id not in heads:
            row = cursor.execute(sql_audit.HEAD, (app_id,)).fetchone()
            heads[app_id] = audit.EMPTY if row is None else Head(*row)
        entry = audit.seal(heads[app_id], event)
        heads[app_id] = Head(entry.number, entry.hash)
        cursor.execute(sql_audit.ADD_ENTRY, rows.entry_row(entry))
        if event.kind in webhooks.KINDS:
            _queue(cursor, entry)
    cursor.executemany(sql_audit.PUT_HEAD, [(app_id, *head) for app_id, head in heads.items()])


def _queue(cursor: Cursor, entry: Entry) -> None:
    owner = entry.event.owner
    wanting = cursor.execute(sql_audit.WEBHOOKS_THAT_WANT, (owner.app_id, owner.environment.value)).fetchall()
    for webhook_id, kinds in wanting:
        if entry.event.kind not in rows.kinds(kinds):
            continue
        if cursor.execute(sql_audit.TAKE_PLACE, (webhook_id, limits.WEBHOOK_WAITING_MAX)).rowcount == 0:
            cursor.execute(sql_audit.COUNT_DROPPED, (webhook_id,))
        else:
            cursor.execute(sql_audit.ADD_MESSAGE, rows.message_row(webhooks.message(webhook_id, entry)))
