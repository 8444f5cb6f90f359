"""QR links and their codes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from heliograph.core import audit
from heliograph.core.qr_login import CodeTaken, QrLink
from heliograph.core.sessions import EndReason
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer
from heliograph.storage.stores.audit import record
from heliograph.storage.stores.sessions import end_sessions


class SqlQrLinks:
    """The adapter of `QrLinkStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def add(self, link: QrLink) -> None:
        """Store a new link with its codes; `CodeTaken` where a code is another link's."""
        await self._writer.write(partial(_add, link=link), is_in_line=True)

    async def lookup(self, link_id: str) -> QrLink | None:
        """The link of that id."""
        row = await self._reader.row(sql.QR_LINK, (link_id,))
        return None if row is None else rows.qr_link(row)

    async def lookup_code(self, code_hash: bytes) -> QrLink | None:
        """The link that has, or had last, the code of that SHA-256."""
        row = await self._reader.row(sql.QR_LINK_BY_CODE, (code_hash,))
        return None if row is None else rows.qr_link(row)

    async def change(self, link_id: str, decide: Callable[[QrLink], QrLink]) -> QrLink | None:
        """One atomic change; `None` where there is no such link."""
        return await self._writer.write(partial(_change, link_id=link_id, decide=decide), (link_id,), is_in_line=True)

    async def unclaimed(self, now: float, limit: int) -> list[str]:
        """The ids of verified links whose time is over, the earliest first."""
        return [row[0] for row in await self._reader.rows(sql.UNCLAIMED_QR_LINKS, (now, limit))]

    async def forget(self, before: float, now: float, limit: int) -> int:
        """Delete links whose time was over before then, and end what was made for them and never delivered."""
        return await self._writer.write(partial(_forget, before=before, now=now, limit=limit), is_in_line=True)


def _add(cursor: Cursor, link: QrLink) -> None:
    cursor.execute(sql.ADD_QR_LINK, (link.id, link.app_id, link.expires_at, rows.qr_link_text(link), _unclaimed(link)))
    _add_codes(cursor, link, {code.hash for code in link.codes})
    record(cursor, audit.of_qr_link(None, link))


def _change(cursor: Cursor, link_id: str, decide: Callable[[QrLink], QrLink]) -> QrLink | None:
    row = cursor.execute(sql.QR_LINK, (link_id,)).fetchone()
    if row is None:
        return None
    before = rows.qr_link(row)
    after = decide(before)
    if after != before:
        cursor.execute(sql.SET_QR_LINK, (after.expires_at, rows.qr_link_text(after), _unclaimed(after), link_id))
        had, has = {code.hash for code in before.codes}, {code.hash for code in after.codes}
        cursor.executemany(sql.DELETE_QR_CODE, [(code,) for code in had - has])
        _add_codes(cursor, after, has - had)
        record(cursor, audit.of_qr_link(before, after))
        if after.is_over:
            _end_unclaimed(cursor, after, after.changed_at)
    return after


def _unclaimed(link: QrLink) -> str | None:
    """The session that waits for its browser, as a column; `None` where nothing waits."""
    return None if link.is_over else link.unclaimed_session_id or None


def _end_unclaimed(cursor: Cursor, link: QrLink, now: float) -> None:
    """End the session that was made for a link that is over, and whose credential nobody has got."""
    session_id = link.unclaimed_session_id
    row = cursor.execute(sql.LIVE_SESSION_ACCOUNT, (session_id,)).fetchone() if session_id else None
    if row is not None:
        end_sessions(cursor, row[0], [session_id], EndReason.UNCLAIMED, now)


def _add_codes(cursor: Cursor, link: QrLink, codes: set[bytes]) -> None:
    for code in codes:
        if cursor.execute(sql.ADD_QR_CODE, (code, link.id)).rowcount == 0:
            raise CodeTaken


def _forget(cursor: Cursor, before: float, now: float, limit: int) -> int:
    found = [rows.qr_link(row) for row in cursor.execute(sql.EXPIRED_QR_LINKS, (before, limit)).fetchall()]
    for link in found:
        _end_unclaimed(cursor, link, now)  # it may have been made when the link was over already
    cursor.executemany(sql.DELETE_QR_LINK, [(link.id,) for link in found])
    return len(found)
