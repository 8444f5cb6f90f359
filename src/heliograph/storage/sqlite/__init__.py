"""SQLite: one file, with one writer thread and look-ups on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from heliograph.storage.sqlite.connection import SqliteReader, open_writer
from heliograph.storage.sqlite.writer import SqliteWriter
from heliograph.storage.stores import Stores


@asynccontextmanager
async def open(path: Path) -> AsyncIterator[Stores]:  # noqa: A001 - called as `sqlite.open`
    """The stores of a database, made or brought to the present version where need be. At the end all that waits is
    written; calls that come later raise `RuntimeError`.

    Args:
        path: the database file; its folder is there. SQLite keeps `-wal` and `-shm` files beside it.

    Raises:
        SettingsInvalid: the file cannot be opened, is no database, or comes from a newer Heliograph.
    """
    writer = SqliteWriter(await asyncio.to_thread(open_writer, path))
    reader = SqliteReader(path)
    stores = Stores.over(reader, writer)
    try:
        yield stores
    finally:
        await stores.settle()
        await writer.close()
        reader.close()
