"""A node that reaches PostgreSQL by way of PgBouncer in session mode."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import needs
from heliograph.storage.postgres.connection import IDLE_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, connect
from pgbouncer_server import pgbouncer
from places import running
from postgres_server import RestartablePostgres


@pytest.fixture
def server() -> Iterator[RestartablePostgres]:
    needs.postgres()
    needs.pgbouncer()
    with RestartablePostgres.running() as up:
        yield up


async def test_a_node_does_its_work_over_it_and_its_connections_have_their_bounds(
    server: RestartablePostgres, tmp_path: Path
) -> None:
    with pgbouncer(server.database_url) as url:
        async with running(tmp_path, database_url=url) as place:
            accounts = await asyncio.gather(*(place.register(f"user-{number}") for number in range(50)))
            for account in accounts[:10]:
                await place.call("PATCH", "/profile", account, {"nickName": account.username})
            found = await asyncio.gather(*(place.call("GET", "/profile", each) for each in accounts[:10]))
            assert [each["nickName"] for each in found] == [each.username for each in accounts[:10]]
            await place.sign_in(accounts[0])
        async with await connect(url) as connection:
            for name, wanted in (
                ("statement_timeout", STATEMENT_TIMEOUT_MS),
                ("idle_in_transaction_session_timeout", IDLE_TIMEOUT_MS),
            ):
                row = await (
                    await connection.execute("SELECT setting FROM pg_settings WHERE name = %s", (name,))
                ).fetchone()
                assert row == (str(wanted),)
