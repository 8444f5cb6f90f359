"""A connection to PostgreSQL that can be cut at the worst moment: when the commit is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from urllib.parse import urlsplit, urlunsplit


class Cut(Enum):
    """Where the next transaction is cut off."""

    BEFORE_COMMIT = "PostgreSQL does not hear of the commit"
    AFTER_COMMIT = "the node does not hear that it is done"


class Severed:
    """Passes bytes on between a node and its database; of a transaction in which `whose` is named, `cut` says where it
    is cut off.

    Args:
        host: of the database.
        port: of the database.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self.cut: Cut | None = None
        self.whose = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        server_reader, server_writer = await asyncio.open_connection(self._host, self._port)
        back = asyncio.create_task(_pass(server_reader, writer))
        try:
            is_named = False
            while data := await reader.read(65536):
                is_named = is_named and b"BEGIN" not in data  # what was only read is another matter
                is_named = is_named or (self.cut is not None and self.whose in data)
                cut = self.cut if is_named and b"COMMIT" in data else None
                if cut is Cut.AFTER_COMMIT:
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    server_writer.write(data)
                    await server_reader.read(65536)  # it is done
                if cut is not None:
                    self.cut = None
                    return
                server_writer.write(data)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for each in (writer, server_writer):
                each.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def severed(database_url: str) -> AsyncIterator[tuple[Severed, str]]:
    """What cuts, and the URL over which it does so."""
    parts = urlsplit(database_url)
    assert parts.hostname is not None
    assert parts.port is not None
    between = Severed(parts.hostname, parts.port)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield between, urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))
    finally:
        server.close()
