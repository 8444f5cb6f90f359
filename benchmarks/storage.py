"""Durable registrations and look-ups a second of the stores alone: no key derivation, no HTTP, no XMPP.

    python benchmarks/storage.py [--rounds 5] [--stored 0] [--busy] [--postgres]

Each registration is a new account with its session, verifiers and two tokens, and counts once its commit is on disk.
`--stored` puts that many accounts there first; `--busy` keeps the event loop computing meanwhile, as a server does.
`--postgres` takes a private PostgreSQL that waits for the disk in place of SQLite; the processor time is then that of
the node alone.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from heliograph.core.accounts import Account, Registration, Standing
from heliograph.core.apps import App, Environment
from heliograph.core.sessions import Device, Session, Verifiers, Via
from heliograph.core.tokens import TokenKind, TokenRecord
from heliograph.storage import postgres, sqlite
from heliograph.storage.stores import Stores

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stage"))

from postgres_server import RestartablePostgres

DOMAIN = "bench.example"
NOW = 1_800_000_000.0
DEVICE = Device("Laptop", "Firefox", "Linux", "192.0.2.7")
VERIFIERS = Verifiers(bytes(20), bytes(20), bytes(32), bytes(32), bytes(32))


def decision(number: int, app_id: str = "app_bench", domain: str = DOMAIN) -> Callable[[Standing], Registration]:
    """What `core.accounts` would decide for a new account."""
    identifier = f"user-{os.urandom(6).hex()}-{number}"
    session_id = f"ses_{os.urandom(16).hex()}"
    account = Account(
        id=0,
        app_id=app_id,
        environment=Environment.LIVE,
        identifier=identifier,
        jid=f"{identifier}@{domain}",
        salt=os.urandom(16),
        iterations=4096,
        metadata={"plan": "pro"},
        is_blocked=False,
        created_at=NOW,
        expires_at=None,
    )
    tokens = tuple(TokenRecord(os.urandom(32), kind, session_id, NOW + 3600) for kind in TokenKind)
    registration = Registration(account, Session(session_id, 0, Via.REGISTER, DEVICE, NOW, NOW), VERIFIERS, tokens, ())
    return lambda _standing: registration


async def burst(stores: Stores, decisions: list[Callable[[Standing], Registration]]) -> None:
    """All at once."""
    async with asyncio.TaskGroup() as tasks:
        for decide in decisions:
            tasks.create_task(stores.accounts.register(jid_of(decide), decide))


async def sustained(stores: Stores, decisions: list[Callable[[Standing], Registration]]) -> None:
    """Sixteen callers, each with its next one as soon as the last is acknowledged."""
    waiting = iter(decisions)

    async def caller() -> None:
        for decide in waiting:
            await stores.accounts.register(jid_of(decide), decide)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(16):
            tasks.create_task(caller())


async def one_by_one(stores: Stores, decisions: list[Callable[[Standing], Registration]]) -> None:
    """One caller."""
    for decide in decisions:
        await stores.accounts.register(jid_of(decide), decide)


async def look_ups(stores: Stores, decisions: list[Callable[[Standing], Registration]]) -> None:
    """Sixteen callers that look for an account that is there, as a sign-in does."""
    waiting = iter(decisions)
    known = jid_of(decisions[0])

    async def caller() -> None:
        for _ in waiting:
            assert await stores.sessions.verifiers(known) is not None

    await stores.accounts.register(known, decisions[0])
    async with asyncio.TaskGroup() as tasks:
        for _ in range(16):
            tasks.create_task(caller())


def jid_of(decide: Callable[[Standing], Registration]) -> str:
    return decide(Standing(None, (), 0, has_name=False)).account.jid


async def rate(
    work: Callable[[Stores, list[Callable[[Standing], Registration]]], Awaitable[None]],
    stores: Stores,
    size: int,
    numbers: count[int],
) -> tuple[float, float]:
    """Registrations a second, and microseconds of processor time for each."""
    decisions = [decision(next(numbers)) for _ in range(size)]
    gc.collect()
    began, began_cpu = time.perf_counter(), time.process_time()
    await work(stores, decisions)
    return size / (time.perf_counter() - began), (time.process_time() - began_cpu) / size * 1e6


async def compute(stop: asyncio.Event) -> None:
    """Keep the event loop at work in slices of some fifty microseconds."""
    while not stop.is_set():
        sum(range(2000))
        await asyncio.sleep(0)


@asynccontextmanager
async def opened(folder: Path, is_postgres: bool) -> AsyncIterator[Stores]:
    """The stores over an empty database."""
    if not is_postgres:
        async with sqlite.open(folder / "bench.db") as stores:
            yield stores
        return
    with RestartablePostgres.running() as server:
        async with postgres.open(server.database_url) as stores:
            yield stores


async def measure(rounds: int, stored: int, busy: bool, folder: Path, is_postgres: bool) -> None:
    numbers, stop = count(), asyncio.Event()
    async with opened(folder, is_postgres) as stores, asyncio.TaskGroup() as tasks:
        await stores.apps.add(App("app_bench", "Bench", DOMAIN, f"sandbox.{DOMAIN}", "{}", NOW), [])
        for _ in range(stored // 4000):
            await burst(stores, [decision(next(numbers)) for _ in range(4000)])
        if busy:
            tasks.create_task(compute(stop))
        workloads = {"burst of 1,000": (burst, 1000), "16 at once": (sustained, 4000), "one by one": (one_by_one, 500)}
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in (*workloads, "look-ups, 16 at once")}
        for _ in range(rounds):
            for name, (work, size) in workloads.items():
                results[name].append(await rate(work, stores, size, numbers))
            results["look-ups, 16 at once"].append(await rate(look_ups, stores, 4000, numbers))
        stop.set()
    for name, found in results.items():
        rates, costs = zip(*found, strict=True)
        print(
            f"{name:>20}: median {statistics.median(rates):8,.0f}/s (best {max(rates):8,.0f}), "
            f"{statistics.median(costs):5.1f} µs of processor each"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stored", type=int, default=0, help="accounts that are there before")
    parser.add_argument("--busy", action="store_true", help="keep the event loop computing meanwhile")
    parser.add_argument("--postgres", action="store_true", help="over PostgreSQL")
    parser.add_argument("--folder", type=Path, help="where the database is made; its disk is what is measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(arguments.rounds, arguments.stored, arguments.busy, Path(folder), arguments.postgres))


if __name__ == "__main__":
    main()
