"""Profiles in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from heliograph.core import audit
from heliograph.core.profiles import Profile
from heliograph.errors import AccountNotFound
from heliograph.storage import rows, sql
from heliograph.storage.sqlite.audit import owner_of, record
from heliograph.storage.sqlite.connection import Reader
from heliograph.storage.sqlite.writer import Writer


class SqliteProfiles:
    """The adapter of `ProfileStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def lookup(self, jid: str) -> Profile | None:
        """The profile of an account, at version 0 where none was saved."""
        row = self._reader.row(sql.PROFILE_BY_JID, (jid,))
        return None if row is None else rows.profile(row)

    async def update(self, jid: str, decide: Callable[[Profile], Profile]) -> Profile:
        """One atomic change; an unchanged profile writes nothing."""
        return await self._writer.write(partial(_update, jid=jid, decide=decide))

    async def of_contacts(self, jid: str) -> list[Profile]:
        """The profiles (version > 0) of all whom this user is subscribed to (`to` or `both`)."""
        return [rows.profile(row) for row in self._reader.rows(sql.CONTACT_PROFILES, (jid,))]


def _update(cursor: sqlite3.Cursor, jid: str, decide: Callable[[Profile], Profile]) -> Profile:
    row = cursor.execute(sql.PROFILE_TO_UPDATE, (jid,)).fetchone()
    if row is None:
        raise AccountNotFound
    *columns, account_id, has_name = row
    before = rows.profile(tuple(columns))
    after = decide(before)
    if after != before:
        has_name = bool(has_name or after.name)
        cursor.execute(sql.PUT_PROFILE, rows.profile_row(after, account_id, has_name))
        owner = owner_of(cursor, account_id)
        record(cursor, [] if owner is None else [audit.of_profile(owner, before, after)])
    return after
