"""Does the model of `capacity` hold? A thousandth of an installation does the work of its busiest hour.

    python benchmarks/scale_check.py [--users 1000 10000] [--contacts 50] [--database postgres] [--nodes 2]

`--users` are a thousandth of those of each installation. The costs of each call are measured first, on a database of
its own; the model says what follows for the work of one hour. Then the nodes (one over SQLite, or several over
PostgreSQL and Redis) are filled with the users, their profiles, contacts and connections, and do that hour's calls in a
random order, as fast as a few callers can; so of what a node takes by itself, only the seconds of the run count. What
it took is printed beside what the model said, as a table of docs/explanation/scale.md. Loopback only, minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stage"))

from capacity import AT_ONCE, Costs, Database, Habits, InPostgres, Measure, measure, needs
from clients import Account, Xmpp, gather_limited, login
from meters import cpu_s, rss_kib
from postgres_server import RestartablePostgres
from redis_server import redis_server
from servers import Heliograph, heliograph

HOUR_S = 3600
WARM_UP = 0.1
"""Of the hour, before what is measured: connections to the database are made, and statements prepared."""
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

    def tidy(self) -> None:
        """Nothing: it does no work by itself."""


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]


Start = Callable[[], AbstractAsyncContextManager[list[Heliograph]]]


@asynccontextmanager
async def installed(kind: str, count: int) -> AsyncIterator[tuple[Start, Database]]:
    """What starts the nodes, over an empty database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database: Database = InSqlite(folder)
        if kind == "postgres":
            server = stack.enter_context(RestartablePostgres.running())
            redis = stack.enter_context(redis_server())
            database = InPostgres(server)
            urls = {"HELIOGRAPH_DATABASE_URL": server.database_url, "HELIOGRAPH_REDIS_URL": redis.url}
            stack.enter_context(_environment(**urls, HELIOGRAPH_SECRET_FILE=str(folder / "secret")))
        yield lambda: _started(folder, count), database


@asynccontextmanager
async def _started(folder: Path, count: int) -> AsyncIterator[list[Heliograph]]:
    async with AsyncExitStack() as stack:
        nodes = []
        for number in range(count):
            own = folder / f"node-{number}"
            own.mkdir(exist_ok=True)
            if number:
                shutil.copy(folder / "node-0" / "app.json", own)
            nodes.append(await stack.enter_async_context(heliograph(own)))
        yield nodes


@asynccontextmanager
async def _one(start: Start) -> AsyncIterator[Heliograph]:
    async with start() as (node,):
        yield node


async def settle(nodes: list[Heliograph], users: int, contacts: int) -> list[Account]:
    """The users, with profiles and contacts."""
    register = [await nodes[worker % len(nodes)].registrar() for worker in range(AT_ONCE)]
    backends = [await nodes[worker % len(nodes)].backend() for worker in range(AT_ONCE)]
    half = contacts // 2  # each is a contact of as many before it

    async def one(number: int, worker: int) -> Account:
        account = await register[worker](f"user-{number}")
        await backends[worker].call("PATCH", f"/api/v1/users/user-{number}/profile", {"status": f"New {number}"})
        return account

    made = await gather_limited(users, AT_ONCE, one)

    async def befriend(number: int, worker: int) -> None:
        others = [made[(number + step) % users] for step in range(1, half + 1)]
        await nodes[worker % len(nodes)].befriend(made[number], others)

    await gather_limited(users, 2, befriend)
    return made


class Clients:
    """Clients of users, each at one of the nodes. Every fifth user stays, and the others come and go.

    Args:
        nodes: as many.
        made: the users.
        connected: the part of them who stay.
    """

    def __init__(self, nodes: list[Heliograph], made: list[Account], connected: float) -> None:
        self._nodes, self._made = nodes, made
        self._every = round(1 / connected)

    @property
    def staying(self) -> list[int]:
        """The numbers of those who stay."""
        return list(range(0, len(self._made), self._every))

    async def sign_in(self, number: int) -> Xmpp:
        """The client of a user."""
        port = self._nodes[number % len(self._nodes)].xmpp_port + 1
        return await login(port, self._made[number], has_caps=True, is_tls=True)

    async def visit(self, number: int) -> None:
        """A user comes and goes; one who stays lets the next one do so."""
        client = await self.sign_in(number + (number % self._every == 0))
        client.close()
        await client.closed


async def hour(
    nodes: list[Heliograph], made: list[Account], clients: Clients, habits: Habits, hours: float = 1.0
) -> int:
    """The calls of the busiest hour, or a part of it, in a random order; how many these were."""
    each = habits.busiest * len(made) * HOUR_S / 86400 * hours
    work = [
        *("register" for _ in range(round(each * habits.registrations_a_day))),
        *("read" for _ in range(round(each * habits.profile_reads_a_day))),
        *("change" for _ in range(round(each * habits.profile_changes_a_day))),
        *("sign in" for _ in range(round(each * habits.sign_ins_a_day))),
    ]
    chance = random.Random(1)
    chance.shuffle(work)
    backends = [await nodes[worker % len(nodes)].backend() for worker in range(AT_ONCE)]

    async def one(number: int, worker: int) -> None:
        # No two bind one resource at once: a worker has every eighth pair of users for itself.
        user = 2 * (AT_ONCE * chance.randrange((len(made) - 1) // (2 * AT_ONCE)) + worker)
        path = f"/api/v1/users/user-{user}/profile"
        match work[number]:
            case "register":
                register = await nodes[worker % len(nodes)].registrar()  # one that idles for long is closed
                await register(f"later-{hours}-{number}".replace(".", "-"))
            case "read":
                await backends[worker].call("GET", path)
            case "change":
                await backends[worker].call("PATCH", path, {"status": f"Busy {hours} {number}"})
            case _:
                await clients.visit(user + chance.randrange(2) if user % 5 else user)

    await gather_limited(len(work), AT_ONCE, one)
    return len(work)


async def costs(kind: str) -> Costs:
    """What each call costs here and now."""
    async with installed(kind, 1) as (start, database):
        found = await measure(lambda: _one(start), database, COSTS_FROM_ACCOUNTS, COSTS_FROM_CONNECTIONS)
    if kind == "sqlite":
        return found
    alike = await costs("sqlite")  # a node over PostgreSQL has memory to spare, which so few connections do not exceed
    return replace(
        found, connection_bytes=alike.connection_bytes, connection_contact_bytes=alike.connection_contact_bytes
    )


@dataclass(frozen=True)
class Took:
    """What a run took."""

    calls: int
    wall_s: float
    node_s: float
    database_s: float
    connections_mib: float
    database_mib: float


async def run(kind: str, count: int, users: int, habits: Habits) -> Took:
    """The work of one hour."""
    async with installed(kind, count) as (start, database):
        async with start() as nodes:
            empty = database.size()
            made = await settle(nodes, users, round(habits.contacts))
            size = database.size() - empty
        async with start() as nodes:  # without memory to spare
            clients = Clients(nodes, made, habits.connected)
            for node in nodes:
                await Measure(node, database).teach(made[0])
            await hour(nodes, made, clients, habits, WARM_UP)
            database.tidy()
            before = sum(rss_kib(node) for node in nodes)
            staying = clients.staying
            there = await gather_limited(len(staying), AT_ONCE, lambda number, _: clients.sign_in(staying[number]))
            memory = sum(rss_kib(node) for node in nodes) - before
            node_s, database_s, began = sum(map(cpu_s, nodes)), database.cpu_s(), time.perf_counter()
            calls = await hour(nodes, made, clients, habits)
            wall_s = time.perf_counter() - began
            node_s, database_s = sum(map(cpu_s, nodes)) - node_s, database.cpu_s() - database_s
            for each in there:
                each.close()
    return Took(calls, wall_s, node_s, database_s, memory / 1024, size / 2**20)


async def main(kind: str, count: int, sizes: list[int], contacts: int) -> None:
    """Predict, measure, compare."""
    habits = Habits(contacts=contacts)
    found = await costs(kind)
    print(f"\n{kind}, nodes: {count}, {contacts} contacts each\n")
    print("| Users | Calls | | Predicted | Measured | Ratio |\n| --- | --- | --- | --- | --- | --- |")
    for users in sizes:
        need = needs(users, found, habits, count)
        took = await run(kind, count, users, habits)
        idle_s, database_idle_s = (each / 1e6 * count for each in (found.idle_us, found.idle_database_us))
        rows = (
            ("CPU of the nodes, s", (need.node_cores - idle_s) * HOUR_S + idle_s * took.wall_s, took.node_s),
            (
                "CPU of PostgreSQL, s",
                (need.database_cores - database_idle_s) * HOUR_S + database_idle_s * took.wall_s,
                took.database_s,
            ),
            ("memory of connections, MiB", need.connection_gib * 1024, took.connections_mib),
            ("database, MiB", need.database_gib * 1024, took.database_mib),
        )
        for name, predicted, measured in rows:
            if predicted:
                told = f"{predicted:.1f} | {measured:.1f} | {measured / predicted:.2f}"
                print(f"| {users:,} | {took.calls:,} | {name} | {told} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, nargs="+", default=[1000])
    parser.add_argument("--contacts", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="postgres")
    parser.add_argument("--nodes", type=int, default=1)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.database, chosen.nodes, chosen.users, chosen.contacts))
