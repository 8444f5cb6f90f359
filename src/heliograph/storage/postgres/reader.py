"""Look-ups in PostgreSQL: those that come at the same time go together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from heliograph.errors import StorageUnavailable
from heliograph.storage.database import RETRY_AFTER_S
from heliograph.storage.postgres.line import Lost
from heliograph.storage.postgres.lines import AWAY, Lines
from heliograph.storage.rows import Row

LOOK_UPS_MAX = 4096
"""How many look-ups may be under way; further callers wait for room."""


class PostgresReader:
    """Look-ups on connections of their own; `async with` opens and closes them.

    Args:
        url: of the database.
        connections_max: how many connections.
    """

    def __init__(self, url: str, connections_max: int) -> None:
        self._lines = Lines(url, connections_max)
        self._room = asyncio.Semaphore(LOOK_UPS_MAX)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lines.close()

    async def row(self, query: str, parameters: Sequence[Any]) -> Row | None:
        """The first row, if there is one."""
        found = await self.rows(query, parameters)
        return found[0] if found else None

    async def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows. A connection that turns out to be lost is replaced once: asking twice does no harm."""
        try:
            async with self._room:
                try:
                    found = await self._rows(query, parameters)
                except Lost as error:
                    self._lines.failed(error)
                    found = await self._rows(query, parameters)
        except AWAY as error:
            self._lines.failed(error)
            raise StorageUnavailable(retry_after_s=RETRY_AFTER_S) from error
        self._lines.answered()
        return found

    async def _rows(self, query: str, parameters: Sequence[Any]) -> list[Row]:
        line = await self._lines.shared()
        answer = line.send(query, parameters)
        await line.sync()
        return answer.rows()
