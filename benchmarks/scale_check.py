"""Does the model of `capacity` hold? A thousandth of an installation does the work of its busiest hour.

    python benchmarks/scale_check.py [--users 1000] [--contacts 50] [--database postgres]

`--users` are a thousandth of those of the installation. The costs of each call are measured first, on a database of its
own; the model says what follows for the work of one hour. Then a node (over SQLite, or over PostgreSQL and Redis) is
filled with the users, their contacts and their connections, and does that hour's calls in a random order, as fast as a
few callers can. What it took is printed beside what the model said. Loopback only, minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stage"))

from capacity import AT_ONCE, Both, Costs, Database, Habits, InPostgres, measure, needs
from clients import Account, Xmpp, gather_limited, login
from meters import rss_kib
from postgres_server import RestartablePostgres
from redis_server import redis_server
from servers import Heliograph, heliograph

HOUR_S = 3600
COSTS_FROM_ACCOUNTS, COSTS_FROM_CONNECTIONS = 2000, 200


class InSqlite:
    """A file that the node works itself: its CPU time is the node's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def cpu_s(self) -> float:
        """None of its own."""
        return 0.0

    def size(self) -> int:
        """The file, once all of its log is in it."""
        (path,) = self._folder.rglob("*.db")
        with closing(sqlite3.connect(path, timeout=10)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.stat().st_size


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]


@asynccontextmanager
async def installed(kind: str) -> AsyncIterator[tuple[Heliograph, Database]]:
    """A node with an empty database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database: Database = InSqlite(folder)
        if kind == "postgres":
            server = stack.enter_context(RestartablePostgres.running())
            redis = stack.enter_context(redis_server())
            database = InPostgres(server)
            urls = {"HELIOGRAPH_DATABASE_URL": server.database_url, "HELIOGRAPH_REDIS_URL": redis.url}
            stack.enter_context(_environment(**urls))
        async with heliograph(folder) as node:
            yield node, database


async def settle(node: Heliograph, users: int, contacts: int) -> list[Account]:
    """The users, with contacts."""
    register = [await node.registrar() for _ in range(AT_ONCE)]
    made = await gather_limited(users, AT_ONCE, lambda number, worker: register[worker](f"user-{number}"))
    half = contacts // 2  # each is a contact of as many before it
    for number, each in enumerate(made):
        await node.befriend(each, [made[(number + step) % users] for step in range(1, half + 1)])
    return made


async def connect(node: Heliograph, accounts: list[Account]) -> list[Xmpp]:
    """Those who are connected."""
    port = node.xmpp_port + 1
    return await gather_limited(
        len(accounts), AT_ONCE, lambda number, _worker: login(port, accounts[number], is_tls=True)
    )


async def hour(node: Heliograph, made: list[Account], habits: Habits) -> int:
    """The calls of the busiest hour in a random order; how many these were."""
    each = habits.busiest * len(made) * HOUR_S / 86400
    work = [
        *("register" for _ in range(round(each * habits.registrations_a_day))),
        *("read" for _ in range(round(each * habits.profile_reads_a_day))),
        *("change" for _ in range(round(each * habits.profile_changes_a_day))),
        *("sign in" for _ in range(round(each * habits.sign_ins_a_day))),
    ]
    chance = random.Random(1)
    chance.shuffle(work)
    register = [await node.registrar() for _ in range(AT_ONCE)]
    backends = [await node.backend() for _ in range(AT_ONCE)]

    async def one(number: int, worker: int) -> None:
        user = AT_ONCE * chance.randrange(len(made) // AT_ONCE) + worker  # no two bind one resource at once
        path = f"/api/v1/users/user-{user}/profile"
        match work[number]:
            case "register":
                await register[worker](f"later-{number}")
            case "read":
                await backends[worker].call("GET", path)
            case "change":
                await backends[worker].call("PATCH", path, {"status": f"Busy {number}"})
            case _:
                (await login(node.xmpp_port + 1, made[user], is_tls=True)).close()

    await gather_limited(len(work), AT_ONCE, one)
    return len(work)


async def costs(kind: str) -> Costs:
    """What each call costs here and now."""
    async with installed(kind) as (node, database):
        return await measure(node, database, COSTS_FROM_ACCOUNTS, COSTS_FROM_CONNECTIONS)


async def main(kind: str, users: int, contacts: int) -> None:
    """Predict, measure, compare."""
    habits = Habits(contacts=contacts)
    need = needs(users, await costs(kind), habits)
    async with installed(kind) as (node, database):
        empty = database.size()
        made = await settle(node, users, contacts)
        size = database.size() - empty
        before = rss_kib(node)
        there = await connect(node, made[: need.connections])
        memory = (rss_kib(node) - before) / 1024
        both = Both(node, database)
        calls = 0

        async def work() -> None:
            nonlocal calls
            calls = await hour(node, made, habits)

        node_us, database_us, _ = await both.each(1, work)
        for each in there:
            each.close()
    rows = (
        ("node, CPU s in the hour", need.node_cores * HOUR_S, node_us / 1e6),
        ("database, CPU s in the hour", need.database_cores * HOUR_S, database_us / 1e6),
        ("memory of connections, MiB", need.connection_gib * 1024, memory),
        ("database, MiB", need.database_gib * 1024, size / 2**20),
    )
    print(f"{kind}: {users:,} users, {contacts} contacts each, {need.connections:,} connected, {calls:,} calls")
    for name, predicted, measured in rows:
        ratio = f"{measured / predicted:.2f}" if predicted else ""
        print(f"  {name:30} predicted {predicted:8.1f}  measured {measured:8.1f}  {ratio}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--contacts", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="postgres")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.database, chosen.users, chosen.contacts))
