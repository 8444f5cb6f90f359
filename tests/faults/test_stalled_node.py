"""A node that stands still holds up the counted writes of the others for a bounded time, and one that was only slow
loses nothing by that bound.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliograph.core.apps import App
from heliograph.storage import postgres
from heliograph.storage.database import Cursor
from heliograph.storage.postgres.connection import IDLE_TIMEOUT_MS
from heliograph.storage.postgres.writer import PostgresWriter
from patience import PATIENCE_S
from postgres_server import empty_database

CHILD = Path(__file__).with_name("stalled_child.py")
BOUND_S = IDLE_TIMEOUT_MS / 1000


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    async with empty_database(postgres_url) as url:
        yield url


async def test_a_node_that_stands_still_lets_the_others_write_after_some_seconds(database_url: str) -> None:
    async with postgres.open(database_url) as stores:
        command = (sys.executable, str(CHILD), database_url)
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert child.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE_S):
                assert await child.stdout.readline() == b"in the line\n"
            began = time.monotonic()
            app = App("app_1", "Chat", "chat.example", "sandbox.chat.example", "{}", 1_800_000_000.0)
            await stores.apps.add(app, [])  # it writes the audit trail
            assert time.monotonic() - began < BOUND_S + 5
            assert child.returncode is None
        finally:
            child.kill()
            await child.wait()


async def test_a_transaction_that_was_given_up_as_its_node_was_slow_is_done_again(database_url: str) -> None:
    attempts: list[int] = []

    def work(cursor: Cursor) -> str:
        cursor.execute("SELECT 1").fetchone()
        attempts.append(1)
        if len(attempts) == 1:
            time.sleep(BOUND_S + 1)  # the whole node stands still
        return str(cursor.execute("SELECT 'done'").fetchone()[0])

    async with PostgresWriter(database_url, 2) as writer, asyncio.timeout(PATIENCE_S):
        assert await writer.write(work, is_in_line=True) == "done"
    assert len(attempts) == 2
