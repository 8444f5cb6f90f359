"""The connections that a node keeps, made as they are needed, and again when they were lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter

import psycopg
import structlog

from heliograph.storage.postgres.line import Line, Lost

WAIT_TIMEOUT_S = 5.0
"""How long a call waits for a free connection."""
REST_S = 0.25
"""How long PostgreSQL is left alone after a connection could not be made."""
_SHARED_MAX = 8
"""How much is under way on a connection before another one is made beside it."""

AWAY = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction, TimeoutError, Lost)
"""What is raised where PostgreSQL does not answer, or takes nothing now."""

log = structlog.get_logger("heliograph.storage")


class Lines:
    """Up to so many connections to one database.

    Args:
        url: of the database.
        lines_max: how many.
    """

    def __init__(self, url: str, lines_max: int) -> None:
        self._url = url
        self._lines_max = lines_max
        self._lines: list[Line] = []
        self._idle: list[Line] = []
        self._owned = asyncio.Semaphore(lines_max)
        self._opening = asyncio.Lock()
        self._is_away = False
        self._rests_until = 0.0

    async def shared(self) -> Line:
        """A connection for statements that each stand for themselves, of any number of callers at once.

        Raises:
            psycopg.OperationalError: there is none, and none can be made.
        """
        line = self._least()
        if line is not None and (line.load_now < _SHARED_MAX or len(self._lines) >= self._lines_max):
            return line
        async with self._opening:
            known = self._least()  # somebody may have opened one meanwhile
            return known if known is not None and known.load_now < _SHARED_MAX else await self._open()

    def _least(self) -> Line | None:
        self._forget_lost()
        return min(self._lines, key=attrgetter("load_now"), default=None)

    @asynccontextmanager
    async def own(self) -> AsyncIterator[Line]:
        """A connection for a transaction; one that is left in the middle of it is closed.

        Raises:
            psycopg.OperationalError: there is none, and none can be made.
            TimeoutError: all are at work.
        """
        async with asyncio.timeout(WAIT_TIMEOUT_S):
            await self._owned.acquire()
        try:
            line = await self._free()
            try:
                yield line
            except BaseException:
                line.close()
                raise
            if not line.is_lost:
                self._idle.append(line)
        finally:
            self._owned.release()

    async def _free(self) -> Line:
        while self._idle:
            line = self._idle.pop()
            if not line.is_lost:
                return line
        async with self._opening:
            self._forget_lost()
            return await self._open()

    async def _open(self) -> Line:
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            raise psycopg.OperationalError("PostgreSQL did not answer a moment ago")
        try:
            line = await Line.open(self._url)
        except psycopg.OperationalError as error:
            self._rests_until = loop.time() + REST_S
            self.failed(error)
            raise
        self.answered()
        self._lines.append(line)
        return line

    def _forget_lost(self) -> None:
        if any(line.is_lost for line in self._lines):
            self._lines = [line for line in self._lines if not line.is_lost]

    def failed(self, error: Exception) -> None:
        """A call got no answer: told to the log when that begins. What the error says may name the database, and no
        password.
        """
        if not self._is_away:
            log.warning("postgres_lost", problem=str(error).strip())
        self._is_away = True

    def answered(self) -> None:
        """A call was answered: told to the log when that begins again."""
        if self._is_away:
            log.info("postgres_back")
        self._is_away = False

    def close(self) -> None:
        """Hang up."""
        for line in self._lines:
            line.close()
        self._lines.clear()
        self._idle.clear()
