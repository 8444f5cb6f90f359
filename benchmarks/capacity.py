"""What an installation of so many users needs: measured costs of a node over PostgreSQL, and a model made of them.

    python benchmarks/capacity.py [--accounts 10000] [--connections 400]

It fills a private PostgreSQL with accounts (10,000 are a thousandth of the second size of the model), measures what
each costs in bytes and each call in CPU time of the node and of the database, and prints what follows for 1, 10 and 100
million users. docs/explanation/scale.md is written from it. Loopback only, minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stage"))

from clients import Account, Http, gather_limited, login
from meters import Meter, cpu_s, rss_kib
from postgres_server import RestartablePostgres
from servers import Heliograph, heliograph

BULK = 1000
CALLS = 1000
CONTACTS = 20
AT_ONCE = 8


@dataclass(frozen=True)
class Habits:
    """What users do, as assumed; the model is no better than these."""

    contacts: float = 50.0  # of each user
    connected: float = 0.2  # of all users, at the busiest time
    sign_ins_a_day: float = 4.0  # connections that are made anew, for each user
    registrations_a_day: float = 0.02  # new devices and users
    profile_reads_a_day: float = 5.0
    profile_changes_a_day: float = 0.1
    busiest: float = 3.0  # how much busier than the mean the busiest hour is


@dataclass(frozen=True)
class Costs:
    """What was measured: CPU in microseconds, memory and storage in bytes."""

    register_us: float
    register_database_us: float
    read_us: float
    read_database_us: float
    change_us: float
    change_database_us: float
    sign_in_us: float
    sign_in_database_us: float
    connection_bytes: float
    account_bytes: float
    contact_bytes: float


@dataclass(frozen=True)
class Needs:
    """What follows for a number of users, at the busiest time."""

    connections: int
    connection_gib: float
    node_cores: float
    database_cores: float
    database_gib: float
    commits_a_second: float


def needs(users: int, costs: Costs, habits: Habits = Habits()) -> Needs:
    """The model: rates of the busiest hour times what each call costs."""

    def rate(a_day: float) -> float:
        return users * a_day / 86400 * habits.busiest

    work = (
        (rate(habits.registrations_a_day), costs.register_us, costs.register_database_us),
        (rate(habits.profile_reads_a_day), costs.read_us, costs.read_database_us),
        (rate(habits.profile_changes_a_day), costs.change_us, costs.change_database_us),
        (rate(habits.sign_ins_a_day), costs.sign_in_us, costs.sign_in_database_us),
    )
    connections = round(users * habits.connected)
    return Needs(
        connections=connections,
        connection_gib=connections * costs.connection_bytes / 2**30,
        node_cores=sum(each * node for each, node, _ in work) / 1e6,
        database_cores=sum(each * database for each, _, database in work) / 1e6,
        database_gib=users * (costs.account_bytes + habits.contacts * costs.contact_bytes) / 2**30,
        commits_a_second=rate(habits.registrations_a_day) + rate(habits.profile_changes_a_day),
    )


class Database(Protocol):
    """What the records are kept in."""

    def cpu_s(self) -> float:
        """CPU seconds of its own processes."""
        ...

    def size(self) -> int:
        """Bytes on the disk."""
        ...


class InPostgres:
    """A PostgreSQL server."""

    def __init__(self, server: RestartablePostgres) -> None:
        self._server = server

    def cpu_s(self) -> float:
        """All its processes."""
        return cpu_s(Heliograph(self._server.pid, 0, {}))

    def size(self) -> int:
        """As it says itself."""
        with psycopg.connect(self._server.database_url) as connection:
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert found is not None
        return int(found[0])


class Both:
    """CPU time of the node and of its database over a section."""

    def __init__(self, node: Heliograph, database: Database) -> None:
        self._node, self._database = node, database

    async def each(self, count: int, work: Callable[[], Awaitable[object]]) -> tuple[float, float, float]:
        """Microseconds of the node and of its database for each of the `count` calls of `work`, and calls a second."""
        before = self._database.cpu_s()
        with Meter(self._node) as meter:
            await work()
        database_s = self._database.cpu_s() - before
        return meter.cpu_s * 1e6 / count, database_s * 1e6 / count, count / meter.wall_s


async def measure(node: Heliograph, database: Database, accounts: int, connections: int) -> Costs:
    """Fill the database, and measure each cost in turn."""
    empty = database.size()
    for begin in range(0, accounts, BULK):
        await node.register_bulk([f"user-{number}" for number in range(begin, min(begin + BULK, accounts))])
    both = Both(node, database)
    register = await node.registrar()
    made: list[Account] = []

    async def registrations() -> None:
        made.extend([await register(f"new-{number}") for number in range(CALLS)])

    registered = await both.each(CALLS, registrations)
    account_bytes = (database.size() - empty) / (accounts + CALLS)
    hubs = made[CONTACTS : CALLS - CONTACTS : 10]
    before = database.size()
    for number, each in enumerate(hubs):
        await node.befriend(each, made[10 * number : 10 * number + CONTACTS])
    contact_bytes = (database.size() - before) / (2 * CONTACTS * len(hubs))  # each is a contact of the other
    backend = await node.backend()
    changed = await both.each(CALLS, lambda: _each_profile(backend, "PATCH", "Busy"))
    read = await both.each(CALLS, lambda: _each_profile(backend, "GET", None))
    before = rss_kib(node)
    signed_in = await both.each(connections, lambda: _sign_in(node, made[:connections]))
    memory = (rss_kib(node) - before) * 1024 / connections
    for name, (node_us, database_us, rate) in {
        "register": registered,
        "read a profile": read,
        "change a profile": changed,
        "sign in over TLS": signed_in,
    }.items():
        print(f"{name:20} {node_us:8.0f} us node {database_us:8.0f} us database {rate:8.0f}/s from one caller")
    print(f"a connection {memory / 1024:.0f} KiB, account {account_bytes:.0f} bytes, contact {contact_bytes:.0f} bytes")
    return Costs(*registered[:2], *read[:2], *changed[:2], *signed_in[:2], memory, account_bytes, contact_bytes)


_kept: list[object] = []


async def _sign_in(node: Heliograph, accounts: list[Account]) -> None:
    async def one(number: int, _worker: int) -> object:
        return await login(node.xmpp_port + 1, accounts[number], is_tls=True)

    _kept.extend(await gather_limited(len(accounts), AT_ONCE, one))


async def _each_profile(http: Http, method: str, status: str | None) -> None:
    for number in range(CALLS):
        body = None if status is None else {"status": status}
        await http.call(method, f"/api/v1/users/new-{number}/profile", body)


async def main(accounts: int, connections: int) -> None:
    """Measure, and print the model."""
    with RestartablePostgres.running() as postgres, tempfile.TemporaryDirectory() as folder:
        os.environ["HELIOGRAPH_DATABASE_URL"] = postgres.database_url
        async with heliograph(Path(folder)) as node:
            costs = await measure(node, InPostgres(postgres), accounts, connections)
    print(f"{'users':>12} {'connected':>12} {'their memory':>14} {'node cores':>11} {'db cores':>9} {'database':>10}")
    for users in (1_000_000, 10_000_000, 100_000_000):
        need = needs(users, costs)
        print(
            f"{users:12,} {need.connections:12,} {need.connection_gib:10.0f} GiB {need.node_cores:11.1f} "
            f"{need.database_cores:9.1f} {need.database_gib:6.0f} GiB  {need.commits_a_second:.0f} commits/s"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=400)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.accounts, chosen.connections))
