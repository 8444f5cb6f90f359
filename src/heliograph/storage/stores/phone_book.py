"""Who can be found by telephone number."""

from __future__ import annotations

from collections.abc import Sequence

from heliograph.core.profiles import Profile
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer


class SqlPhoneBook:
    """The adapter of `PhoneBookStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def is_findable(self, jid: str) -> bool | None:
        """Whether a user agreed to be found; `None` where there is no such account."""
        row = await self._reader.row(sql.IS_FINDABLE, (jid,))
        return None if row is None else bool(row[0])

    async def set_findable(self, jid: str, *, is_findable: bool) -> None:
        """Keep whether a user agreed."""

        def keep(cursor: Cursor) -> None:
            cursor.execute(sql.SET_FINDABLE, (int(is_findable), jid))

        await self._writer.write(keep)

    async def find(self, hashes: Sequence[bytes]) -> list[tuple[bytes, Profile]]:
        """The profiles of the users who agreed and have a number of one of these hashes, each with that hash."""
        return [
            (row[0], rows.profile(row[1:]))
            for each in hashes
            for row in await self._reader.rows(sql.FIND_BY_PHONE, (each,))
        ]
