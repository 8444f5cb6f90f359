"""An ASGI application on a real socket, under uvicorn as a node runs it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@asynccontextmanager
async def served(app: Any, **options: Any) -> AsyncIterator[int]:
    """Serve an application while the context lasts; gives the port of 127.0.0.1. Further options are uvicorn's."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        proxy_headers=False,
        access_log=False,
        log_config=None,
        **options,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        await server.listens.wait()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving
