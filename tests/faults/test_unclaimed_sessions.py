"""A session that was made for a browser ends by itself where the node died before the browser had its credential."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from patience import PATIENCE_S
from postgres_server import empty_database

CHILD = Path(__file__).with_name("unclaimed_child.py")


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The path or the URL of an empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "heliograph.db")
    else:
        async with empty_database(request.getfixturevalue("postgres_url")) as url:
            yield url


async def play(database: str, what: str, status: int) -> str:
    child = await asyncio.to_thread(
        subprocess.run, [sys.executable, CHILD, database, what], capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert child.returncode == status, child.stderr.decode()
    return child.stdout.decode().strip()


@pytest.mark.parametrize("until", ["made", "sealed"])
async def test_a_killed_node_leaves_no_session_that_nobody_can_use(database: str, until: str) -> None:
    made = await play(database, until, -9)
    after = json.loads(await play(database, "sweep", 0))
    assert len(after["live"]) == 1  # the phone's
    assert made not in after["live"]
    [expired, ended] = after["last"]
    assert expired[0] == "qr.expired"
    assert ended == ["session.ended", made, "unclaimed"]
