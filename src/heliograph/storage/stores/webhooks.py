"""Webhooks and their messages; the messages are written by `audit.record`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from heliograph.core import limits, webhooks
from heliograph.core.audit import Event
from heliograph.core.webhooks import Batch, Message, Settled, Webhook
from heliograph.errors import WebhookInvalid, WebhookNotFound
from heliograph.storage import rows, sql_audit
from heliograph.storage.database import Cursor, Reader, Writer
from heliograph.storage.stores.audit import record

_MESSAGES = "webhook messages"


class SqlWebhooks:
    """The adapter of `WebhookStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def add(self, webhook: Webhook, secret: str, max_webhooks: int, told: Event) -> None:
        """Store a webhook; `WebhookInvalid` where the app has as many as it may."""
        work = partial(_add, webhook=webhook, secret=secret, max_webhooks=max_webhooks, told=told)
        await self._writer.write(work, (_MESSAGES,), is_in_line=True)

    async def list(self) -> list[Webhook]:
        """All webhooks, oldest first."""
        return [rows.webhook(row) for row in await self._reader.rows(sql_audit.WEBHOOKS)]

    async def secret(self, webhook_id: str) -> str:
        """The signing secret; `WebhookNotFound`."""
        row = await self._reader.row(sql_audit.WEBHOOK_SECRET, (webhook_id,))
        if row is None:
            raise WebhookNotFound
        return str(row[0])

    async def remove(self, webhook_id: str, told: Event) -> None:
        """Delete a webhook with its messages; `WebhookNotFound`."""
        await self._writer.write(partial(_remove, webhook_id=webhook_id, told=told), is_in_line=True)

    async def take(self, now: float, until: float, limit: int) -> Sequence[Batch]:
        """The messages that are to be sent now; they are left alone until then."""
        if await self._reader.row(sql_audit.IS_ANY_DUE, (now,)) is None:
            return []
        return await self._writer.write(partial(_take, now=now, until=until, limit=limit), (_MESSAGES,))

    async def settle(self, settled: Sequence[Settled]) -> None:
        """Store how attempts ended."""
        await self._writer.write(partial(_settle, settled=settled), (_MESSAGES,))

    async def dead(self, webhook_id: str, limit: int) -> Sequence[Message]:
        """Dead letters, oldest first."""
        return [rows.message(row) for row in await self._reader.rows(sql_audit.DEAD_MESSAGES, (webhook_id, limit))]

    async def replay(self, webhook_id: str, message_id: str | None, now: float) -> int:
        """Let dead letters wait again, one or all of them; gives their number."""
        work = partial(_replay, webhook_id=webhook_id, message_id=message_id, now=now)
        return await self._writer.write(work, (_MESSAGES,), is_in_line=True)


def _add(cursor: Cursor, webhook: Webhook, secret: str, max_webhooks: int, told: Event) -> None:
    if cursor.execute(sql_audit.COUNT_WEBHOOKS, (webhook.app_id,)).fetchone()[0] >= max_webhooks:
        raise WebhookInvalid(f"An app has at most {max_webhooks} webhooks")
    cursor.execute(sql_audit.ADD_WEBHOOK, (*rows.webhook_row(webhook), secret))
    record(cursor, [told])


def _remove(cursor: Cursor, webhook_id: str, told: Event) -> None:
    if cursor.execute(sql_audit.DELETE_WEBHOOK, (webhook_id,)).rowcount == 0:
        raise WebhookNotFound
    record(cursor, [told])


def _take(cursor: Cursor, now: float, until: float, limit: int) -> Sequence[Batch]:
    batches = []
    for row in cursor.execute(sql_audit.WEBHOOKS_WITH_DUE, (now,)).fetchall():
        webhook = rows.webhook(row[:-1])
        parameters = (webhook.id, now, limits.WEBHOOK_ORDERED_ATTEMPTS, limit)
        waiting = [rows.message(found) for found in cursor.execute(sql_audit.IN_LINE, parameters)]
        messages = webhooks.in_line(waiting, now, limit)
        if messages:
            cursor.executemany(sql_audit.LEASE_MESSAGE, [(until, each.id) for each in messages])
            batches.append(Batch(webhook, row[-1], messages))
    return batches


def _settle(cursor: Cursor, settled: Sequence[Settled]) -> None:
    for each in settled:
        message, attempts = each.message, each.message.attempts + each.is_tried
        if each.due_at is None:
            gone = cursor.execute(sql_audit.DELETE_MESSAGE, (message.id,)).fetchone()
        elif each.is_dead:
            gone = cursor.execute(sql_audit.BURY_MESSAGE, (attempts, each.problem, message.id)).fetchone()
            cursor.execute(sql_audit.FORGET_DEAD, (message.webhook_id, message.webhook_id, limits.WEBHOOK_DEAD_MAX))
        else:
            cursor.execute(sql_audit.RETRY_MESSAGE, (attempts, each.due_at, each.problem, message.id))
            gone = None
        if gone is not None:
            cursor.execute(sql_audit.FREE_PLACES, (1, message.webhook_id))


def _replay(cursor: Cursor, webhook_id: str, message_id: str | None, now: float) -> int:
    if message_id is None:
        count = cursor.execute(sql_audit.REPLAY_MESSAGES, (now, webhook_id)).rowcount
    else:
        count = cursor.execute(sql_audit.REPLAY_MESSAGE, (now, webhook_id, message_id)).rowcount
    cursor.execute(sql_audit.FREE_PLACES, (-count, webhook_id))
    return count
