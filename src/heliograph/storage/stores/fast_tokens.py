"""Tokens with which clients sign in again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from heliograph.core import limits
from heliograph.core.accounts import Account
from heliograph.core.fast_tokens import FastSlots
from heliograph.errors import TokenRevoked
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer


class SqlFastTokens:
    """The adapter of `FastTokenStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def lookup(self, jid: str, client: str) -> tuple[Account, list[tuple[str, FastSlots]]] | None:
        """A client's slots in each live session of an account."""
        found = await self._reader.rows(sql.FAST_TOKENS, (client, jid))
        if not found:
            return None
        slots = [(row[rows.ACCOUNT_WIDTH], rows.fast_slots(row[-1])) for row in found]
        return rows.account(found[0][: rows.ACCOUNT_WIDTH]), slots

    async def change(self, session_id: str, client: str, decide: Callable[[FastSlots], FastSlots]) -> FastSlots:
        """One atomic change; `TokenRevoked` where the session has ended."""
        return await self._writer.write(
            partial(_change, session_id=session_id, client=client, decide=decide), (session_id,)
        )


def _change(cursor: Cursor, session_id: str, client: str, decide: Callable[[FastSlots], FastSlots]) -> FastSlots:
    session = cursor.execute(sql.LIVE_SESSION_NUMBER, (session_id,)).fetchone()
    if session is None:
        raise TokenRevoked
    (number,) = session
    row = cursor.execute(sql.FAST_SLOTS, (number, client)).fetchone()
    before = FastSlots() if row is None else rows.fast_slots(row[0])
    after = decide(before)
    if after == before:
        return after
    if not after.tokens:
        cursor.execute(sql.DELETE_FAST_SLOTS, (number, client))
        return after
    ends = max(token.expires_at for token in after.tokens)
    cursor.execute(sql.PUT_FAST_SLOTS, (number, client, ends, rows.fast_slots_text(after)))
    cursor.execute(sql.FORGET_OLDEST_FAST_SLOTS, (number, number, limits.FAST_CLIENTS_PER_SESSION_MAX - 1))
    return after
