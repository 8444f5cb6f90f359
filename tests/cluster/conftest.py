"""Several nodes of one installation, over one PostgreSQL and one Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from places import Place, running
from postgres_server import empty_database


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """An empty database."""
    async with empty_database(postgres_url) as url:
        yield url


@pytest.fixture
async def join_in(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Callable[..., Awaitable[Place]]]:
    """Starts one more node of the installation; the first makes the app. All say that they are `chat.example`, as
    behind a load balancer, and each is called directly.
    """
    places: list[Place] = []
    async with AsyncExitStack() as stack:

        async def make(**options: Any) -> Place:
            folder = tmp_path / f"node-{len(places)}"
            folder.mkdir()
            shared = {"database_url": database_url, "redis_url": redis_url, "secret_file": tmp_path / "secret"}
            one = running(folder, is_new=not places, public_url="http://chat.example", **shared, **options)
            place = await stack.enter_async_context(one)
            place.http.base_url = httpx.URL(f"http://127.0.0.1:{place.node.http_port}")
            if places:
                place.app = places[0].app
            places.append(place)
            return place

        yield make
