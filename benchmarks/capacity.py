"""What an installation of so many users needs: measured costs of a node over PostgreSQL, and a model made of them.

    python benchmarks/capacity.py [--accounts 10000] [--connections 400]

It fills a private PostgreSQL with accounts (10,000 are a thousandth of the second size of the model), measures what
each costs in bytes and each call in CPU time of the node and of the database, and prints what follows for 1, 10 and 100
million users. What grows with a user's contacts is measured twice, without any and in circles of friends, and what a
node takes that does nothing is measured too. `scale_check.py` holds the model against a run.
docs/explanation/scale.md is written from both. Loopback only, minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stage"))

from clients import Account, Xmpp, answer_disco, gather_limited, login
from meters import Meter, cpu_s, rss_kib
from postgres_server import RestartablePostgres
from servers import Heliograph, heliograph

BULK = 1000
CALLS = 1000
FRIENDS, PRESENT = 50, 10
"""The contacts of each in a circle of friends, in which everybody is a contact of everybody, and how many of them are
connected. They are as many as `Habits` has: what a connection holds does not grow evenly, as buffers double.
"""
ROUNDS = 20
AT_ONCE = 8
IDLE_S = 15.0
CORES_A_NODE = 0.5
"""Of the one core that a process uses, so that the rest is there for peaks and for a node that is lost."""


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
    """What was measured: CPU in microseconds, memory and storage in bytes.

    Attributes:
        sign_in_us: a user without contacts comes and goes, over TLS.
        sign_in_contact_us: what each contact adds, for the roster and the contact's newest profile.
        sign_in_online_us: what each contact adds who is connected, for presence that comes and goes.
        change_us: of a profile, of which nobody hears.
        event_us: to bring it to one connection.
        idle_us: each second, of a node that does nothing.
        node_bytes: memory of such a node.
        connection_bytes, connection_contact_bytes: memory of a connection, and what each contact of its user adds.
    """

    register_us: float
    register_database_us: float
    read_us: float
    read_database_us: float
    change_us: float
    change_database_us: float
    event_us: float
    sign_in_us: float
    sign_in_database_us: float
    sign_in_contact_us: float
    sign_in_contact_database_us: float
    sign_in_online_us: float
    idle_us: float
    idle_database_us: float
    node_bytes: float
    connection_bytes: float
    connection_contact_bytes: float
    account_bytes: float
    contact_bytes: float


@dataclass(frozen=True)
class Needs:
    """What follows for a number of users, at the busiest time."""

    connections: int
    connection_gib: float
    nodes: int
    node_cores: float
    database_cores: float
    database_gib: float
    commits_a_second: float


def needs(users: int, costs: Costs, habits: Habits = Habits(), nodes: int | None = None) -> Needs:
    """The model: rates of the busiest hour times what each call costs, and what the nodes take that do nothing.

    Args:
        users: how many.
        costs: what was measured.
        habits: of the users.
        nodes: how many embedded nodes share the connections, each of which tells its own; `None` for as many nodes as
            the work takes, over whose connections presence and profiles go alike.
    """

    def rate(a_day: float) -> float:
        return users * a_day / 86400 * habits.busiest

    online = habits.contacts * habits.connected / (nodes or 1)
    sign_in_us = costs.sign_in_us + habits.contacts * costs.sign_in_contact_us + online * costs.sign_in_online_us
    sign_in_database_us = costs.sign_in_database_us + habits.contacts * costs.sign_in_contact_database_us
    work = (
        (rate(habits.registrations_a_day), costs.register_us, costs.register_database_us),
        (rate(habits.profile_reads_a_day), costs.read_us, costs.read_database_us),
        (rate(habits.profile_changes_a_day), costs.change_us + online * costs.event_us, costs.change_database_us),
        (rate(habits.sign_ins_a_day), sign_in_us, sign_in_database_us),
    )
    cores = sum(each * node for each, node, _ in work) / 1e6
    count = nodes or max(2, math.ceil(cores / CORES_A_NODE))
    connections = round(users * habits.connected)
    connection_bytes = costs.connection_bytes + habits.contacts * costs.connection_contact_bytes
    return Needs(
        connections=connections,
        connection_gib=connections * connection_bytes / 2**30,
        nodes=count,
        node_cores=cores + count * costs.idle_us / 1e6,
        database_cores=sum(each * database for each, _, database in work) / 1e6 + count * costs.idle_database_us / 1e6,
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

    def tidy(self) -> None:
        """Do what it would do later by itself after it was filled, so that it does not count for what comes next."""
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

    def tidy(self) -> None:
        """Vacuum, statistics, checkpoint."""
        with psycopg.connect(self._server.database_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")


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


@dataclass(frozen=True)
class Coming:
    """What it costs that a user comes and goes, and what a connection holds, by node and database."""

    node_us: float
    database_us: float
    bytes: float = 0.0


class Measure:
    """One cost after the other, on one node."""

    def __init__(self, node: Heliograph, database: Database) -> None:
        self._node, self._database = node, database
        self.both = Both(node, database)

    async def registrations(self) -> tuple[tuple[float, float, float], list[Account]]:
        """A thousand users, one by one: what each costs, and they."""
        register = await self._node.registrar()
        made: list[Account] = []

        async def work() -> None:
            made.extend([await register(f"new-{number}") for number in range(CALLS)])

        return await self.both.each(CALLS, work), made

    async def calls(self, method: str, names: list[str], status: str | None = None) -> tuple[float, float, float]:
        """The backend reads or changes the profile of each."""
        backend = await self._node.backend()

        async def work() -> None:
            for number, name in enumerate(names):
                body = None if status is None else {"status": f"{status} {number}"}
                await backend.call(method, f"/api/v1/users/{name}/profile", body)

        return await self.both.each(len(names), work)

    async def befriend(self, circles: list[list[Account]]) -> float:
        """Make circles of friends; the storage of each contact, in bytes."""
        before = self._database.size()
        for circle in circles:
            for number, each in enumerate(circle):
                await self._node.befriend(each, circle[number + 1 :] or circle[:1])
        return (self._database.size() - before) / sum(len(each) * (len(each) - 1) for each in circles)

    async def connect(self, accounts: list[Account]) -> tuple[list[Xmpp], float]:
        """All of them at once; they, and the memory of each."""
        before = rss_kib(self._node)
        there = await gather_limited(len(accounts), AT_ONCE, lambda number, _worker: self.sign_in(accounts[number]))
        return there, (rss_kib(self._node) - before) * 1024 / len(accounts)

    async def sign_in(self, account: Account) -> Xmpp:
        """Over TLS, as a client that wants to hear of profiles."""
        return await login(self._node.xmpp_port + 1, account, has_caps=True, is_tls=True)

    async def come_and_go(self, accounts: list[Account]) -> Coming:
        """Each comes and goes, again and again."""

        async def one(number: int, _worker: int) -> None:
            client = await self.sign_in(accounts[number % len(accounts)])
            client.close()
            await client.closed

        await gather_limited(len(accounts), AT_ONCE, one)  # the clients' keys are computed once
        count = max(ROUNDS * 10, len(accounts))
        node_us, database_us, _ = await self.both.each(
            count, lambda: gather_limited(count, min(AT_ONCE, len(accounts)), one)
        )
        return Coming(node_us, database_us)

    async def teach(self, account: Account) -> None:
        """Let the node ask a client of this make once what it wants to hear of."""
        client = await self.sign_in(account)
        asked = client.buffer if b"disco#info" in client.buffer else await client.expect(b"disco#info", b"</iq>")
        answer_disco(client, asked)
        client.close()
        await client.closed


async def _leave(clients: list[Xmpp]) -> None:
    for each in clients:
        each.close()
        await each.closed


Start = Callable[[], AbstractAsyncContextManager[Heliograph]]
"""Starts a node over what an earlier one has left."""


async def measure(start: Start, database: Database, accounts: int, connections: int) -> Costs:
    """Fill the database, and measure each cost in turn. What a connection holds is measured on a node that was just
    started: one that has worked has memory to spare, and takes none for some hundred connections.
    """
    async with start() as node:
        at = Measure(node, database)
        for begin in range(0, accounts, BULK):
            await node.register_bulk([f"user-{number}" for number in range(begin, min(begin + BULK, accounts))])
        before = database.size()
        registered, made = await at.registrations()
        changed = await at.calls("PATCH", [each.username for each in made], "Busy")
        account_bytes = (database.size() - before) / CALLS
        read = await at.calls("GET", [each.username for each in made])
        alone, rest = made[:connections], made[connections:]
        circles = [rest[begin : begin + FRIENDS + 1] for begin in range(0, len(rest) - FRIENDS, FRIENDS + 1)]
        contact_bytes = await at.befriend(circles)
    first = [circle[0] for circle in circles]
    async with start() as node:
        at = Measure(node, database)
        await at.teach(made[0])
        await _leave((await at.connect(first))[0])
        node_bytes = rss_kib(node) * 1024
        database.tidy()
        idle = await at.both.each(1, lambda: asyncio.sleep(IDLE_S))
        there, connection_bytes = await at.connect(alone)
        friends, friend_bytes = await at.connect([each for circle in circles for each in circle[1 : PRESENT + 1]])
        among_present = await at.come_and_go(first)
        told = await at.calls("PATCH", [each.username for each in first] * ROUNDS, "Told")
        await _leave([*there, *friends])
        by_itself = await at.come_and_go(alone)
        among_absent = await at.come_and_go(first)
    costs = Costs(
        *registered[:2],
        *read[:2],
        *changed[:2],
        event_us=(told[0] - changed[0]) / PRESENT,
        sign_in_us=by_itself.node_us,
        sign_in_database_us=by_itself.database_us,
        sign_in_contact_us=(among_absent.node_us - by_itself.node_us) / FRIENDS,
        sign_in_contact_database_us=(among_absent.database_us - by_itself.database_us) / FRIENDS,
        sign_in_online_us=(among_present.node_us - among_absent.node_us) / PRESENT,
        idle_us=idle[0] / IDLE_S,
        idle_database_us=idle[1] / IDLE_S,
        node_bytes=node_bytes,
        connection_bytes=connection_bytes,
        connection_contact_bytes=(friend_bytes - connection_bytes) / FRIENDS,
        account_bytes=account_bytes,
        contact_bytes=contact_bytes,
    )
    for name, value in asdict(costs).items():
        print(f"  {name:30} {value:12,.0f}")
    return costs


async def main(accounts: int, connections: int) -> None:
    """Measure, and print the model."""
    with RestartablePostgres.running() as postgres, tempfile.TemporaryDirectory() as folder:
        os.environ["HELIOGRAPH_DATABASE_URL"] = postgres.database_url
        costs = await measure(lambda: heliograph(Path(folder)), InPostgres(postgres), accounts, connections)
    titles = ("users", 12), ("connected", 12), ("their memory", 14), ("nodes", 6), ("cores", 7), ("db cores", 9)
    print(" ".join(f"{title:>{width}}" for title, width in titles), "database")
    for users in (1_000_000, 10_000_000, 100_000_000):
        need = needs(users, costs)
        print(
            f"{users:12,} {need.connections:12,} {need.connection_gib:10.0f} GiB {need.nodes:6} {need.node_cores:7.1f} "
            f"{need.database_cores:9.1f} {need.database_gib:6.0f} GiB  {need.commits_a_second:.0f} commits/s"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=400)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.accounts, chosen.connections))
