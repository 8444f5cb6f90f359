"""Offline messages."""

from __future__ import annotations

from functools import partial

from heliograph.errors import AccountNotFound
from heliograph.storage import sql
from heliograph.storage.database import Cursor, Reader, Writer


class SqlOffline:
    """The adapter of `OfflineStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def add(self, jid: str, message: bytes, now: float, max_messages: int) -> bool:
        """Keep a message; `False` where as many wait as may; `AccountNotFound`."""
        work = partial(_add, jid=jid, message=message, now=now, max_messages=max_messages)
        return await self._writer.write(work, (jid,))

    async def take(self, jid: str, since: float) -> list[bytes]:
        """All that waits and is not older, the oldest first; it waits no longer."""
        if await self._reader.row(sql.HAS_OFFLINE, (jid,)) is None:  # nearly always, and it costs no write
            return []
        return await self._writer.write(partial(_take, jid=jid, since=since), (jid,))

    async def forget(self, before: float, limit: int) -> int:
        """Delete at most `limit` messages that are older; how many these were."""
        return await self._writer.write(lambda cursor: cursor.execute(sql.FORGET_OFFLINE, (before, limit)).rowcount)


def _add(cursor: Cursor, jid: str, message: bytes, now: float, max_messages: int) -> bool:
    account = cursor.execute(sql.OFFLINE_OWNER, (jid,)).fetchone()
    if account is None:
        raise AccountNotFound
    (count,) = cursor.execute(sql.COUNT_OFFLINE, account).fetchone()
    if count >= max_messages:
        return False
    cursor.execute(sql.ADD_OFFLINE, (account[0], message, now))
    return True


def _take(cursor: Cursor, jid: str, since: float) -> list[bytes]:
    found = [bytes(row[0]) for row in cursor.execute(sql.OFFLINE, (jid, since))]
    cursor.execute(sql.DELETE_OFFLINE, (jid,))
    return found
