"""Device sessions and their verifiers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from heliograph.core import audit
from heliograph.core.accounts import Account
from heliograph.core.sessions import Activity, EndReason, Session, Verifiers, Via
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer
from heliograph.storage.stores.audit import owner_of, record


class SqlSessions:
    """The adapter of `SessionStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def lookup(self, session_id: str) -> tuple[Account, Session] | None:
        """A live session with its account."""
        row = await self._reader.row(sql.SESSION_BY_ID, (session_id,))
        return (
            None if row is None else (rows.account(row[: rows.ACCOUNT_WIDTH]), rows.session(row[rows.ACCOUNT_WIDTH :]))
        )

    async def live(self, account_id: int) -> list[Session]:
        """All live sessions of an account, least recently active first."""
        return [rows.session(row) for row in await self._reader.rows(sql.LIVE_SESSIONS, (account_id,))]

    async def verifiers(self, jid: str) -> tuple[Account, list[tuple[str, Verifiers]]] | None:
        """For a sign-in: the account and, for each live session, its id and verifiers."""
        found = await self._reader.rows(sql.SESSION_VERIFIERS, (jid,))
        if not found:
            return None
        account = rows.account(found[0][: rows.ACCOUNT_WIDTH])
        sessions = [row[rows.ACCOUNT_WIDTH :] for row in found]
        return account, [(row[0], Verifiers(*row[1:])) for row in sessions if row[0] is not None]

    async def end(self, account_id: int, session_ids: Sequence[str], reason: EndReason, now: float) -> list[str]:
        """End sessions with their tokens; returns the ids of those that were live."""
        return await self._writer.write(
            partial(end_sessions, account_id=account_id, session_ids=session_ids, reason=reason, now=now),
            is_in_line=True,
        )

    async def idle(self, via: Via, since: float, limit: int) -> list[tuple[Account, Session]]:
        """Live sessions made in that way and not active since then, least recently active first."""
        found = await self._reader.rows(sql.IDLE_SESSIONS, (via.value, since, limit))
        return [(rows.account(row[: rows.ACCOUNT_WIDTH]), rows.session(row[rows.ACCOUNT_WIDTH :])) for row in found]

    async def last_active(self, jid: str) -> Activity | None:
        """When an account was last active in any session, an ended one too; `None` where there is no account."""
        row = await self._reader.row(sql.LAST_ACTIVE, (jid,))
        return None if row is None else Activity(float(max(row[1:])), row[0])

    async def note_status(self, jid: str, status: str) -> None:
        """Keep what an account's user said on going away; one that is kept already costs no write."""
        row = await self._reader.row(sql.LAST_STATUS, (jid,))
        if row is not None and row[0] != status:
            await self._writer.write(partial(_set_status, jid=jid, status=status), (jid,))

    def touch(self, session_id: str, now: float) -> None:
        """Note that a session is active, for the next commit."""
        self._writer.touch(session_id, now)


def _set_status(cursor: Cursor, jid: str, status: str) -> None:
    cursor.execute(sql.SET_LAST_STATUS, (status, jid))


def end_sessions(
    cursor: Cursor, account_id: int, session_ids: Sequence[str], reason: EndReason, now: float
) -> list[str]:
    """End those of an account's sessions that are live, inside a transaction, and tell the audit trail; returns their
    ids.
    """
    ended = close_sessions(cursor, account_id, session_ids, reason, now)
    owner = owner_of(cursor, account_id) if ended else None
    if owner is not None:
        record(cursor, audit.of_ended(owner, ended, reason, now))
    return ended


def close_sessions(
    cursor: Cursor, account_id: int, session_ids: Sequence[str], reason: EndReason, now: float
) -> list[str]:
    """The same for a change that tells the audit trail itself."""
    ended = []
    for session_id in session_ids:
        row = cursor.execute(sql.END_SESSION, (now, reason.value, session_id, account_id)).fetchone()
        if row is not None:
            cursor.execute(sql.DELETE_TOKENS, row)
            cursor.execute(sql.DELETE_FAST_TOKENS, row)
            ended.append(session_id)
    return ended
