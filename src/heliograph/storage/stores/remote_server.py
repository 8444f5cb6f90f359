"""What an XMPP server outside the process did and was told."""

from __future__ import annotations

from functools import partial

import msgspec

from heliograph.core import limits
from heliograph.core.remote_server import SignIn, Told
from heliograph.storage import sql_remote_server as sql
from heliograph.storage.database import Cursor, Reader, Writer

_decode_blocked = msgspec.json.Decoder(frozenset[str]).decode


class SqlRemoteServer:
    """The adapter of `RemoteServerStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def signed_in(self, jid: str, session_id: str, now: float) -> None:
        """Write a sign-in down."""
        await self._writer.write(partial(_sign_in, jid=jid, session_id=session_id, now=now))

    async def sign_ins(self, jid: str) -> list[SignIn]:
        """An account's sign-ins, oldest first."""
        return [SignIn(*row) for row in await self._reader.rows(sql.SIGN_INS, (jid,))]

    async def claim(self, number: int, resource: str, bound_at: float) -> bool:
        """Note which resource a sign-in has bound."""
        return await self._writer.write(partial(_claim, number=number, resource=resource, bound_at=bound_at))

    async def told(self, jid: str) -> Told:
        """What the server was last told of an account."""
        row = await self._reader.row(sql.TOLD, (jid,))
        return Told() if row is None else Told(row[0], _decode_blocked(row[1]))

    async def tell(self, jid: str, told: Told) -> None:
        """Note what it was told."""
        blocked = msgspec.json.encode(sorted(told.blocked)).decode()
        await self._writer.write(partial(_tell, parameters=(told.roster_version, blocked, jid)))

    async def untold(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Accounts of which the server may have to be told."""
        return [(number, jid) for number, jid in await self._reader.rows(sql.UNTOLD, (after, limit))]

    async def marks(self) -> dict[str, int]:
        """By JID domain, the highest mark that was taken."""
        return dict(await self._reader.rows(sql.MARKS, ()))


def _sign_in(cursor: Cursor, jid: str, session_id: str, now: float) -> None:
    cursor.execute(sql.ADD_SIGN_IN, (session_id, now, jid))
    cursor.execute(sql.FORGET_SIGN_INS, (jid, jid, limits.SIGN_INS_KEPT))


def _claim(cursor: Cursor, number: int, resource: str, bound_at: float) -> bool:
    row = cursor.execute(sql.CLAIM, (resource, bound_at, number)).fetchone()
    if row is None:
        return False
    cursor.execute(sql.TAKE_FROM_OTHERS, (row[0], resource, number))
    return True


def _tell(cursor: Cursor, parameters: tuple[int, str, str]) -> None:
    cursor.execute(sql.TELL, parameters)
