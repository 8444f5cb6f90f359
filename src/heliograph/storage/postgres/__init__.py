"""PostgreSQL: one database for any number of nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from heliograph.storage.postgres.connection import migrate
from heliograph.storage.postgres.reader import PostgresReader
from heliograph.storage.postgres.writer import PostgresWriter
from heliograph.storage.stores import Stores

CONNECTIONS_MAX = 16
"""How many connections a node keeps for transactions at most, and as many for look-ups."""


@asynccontextmanager
async def open(url: str, connections_max: int = CONNECTIONS_MAX) -> AsyncIterator[Stores]:  # noqa: A001
    """The stores of a database, brought to the present version where need be. At the end all that waits is written;
    calls that come later raise `RuntimeError`.

    Args:
        url: a connection URI of libpq, such as `postgresql://user:password@host/database`.
        connections_max: for transactions, and for look-ups.

    Raises:
        SettingsInvalid: there is no such database, it does not let us in, or comes from a newer Heliograph.
    """
    await migrate(url)
    async with PostgresReader(url, connections_max) as reader, PostgresWriter(url, connections_max) as writer:
        yield Stores.over(reader, writer)
