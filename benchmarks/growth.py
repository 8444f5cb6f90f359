"""What an operation of ours costs as more is stored, watched and connected: `make bench-growth`. Loopback only.

What is found goes to benchmarks/results/growth.json, and from there into docs/reference/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

import report
import workloads
from clients import Account, Http, gather_limited
from heliograph.core.accounts import Registration, Standing
from heliograph.storage import sqlite
from meters import Meter
from servers import Heliograph, heliograph
from storage import decision

Row = dict[str, Any]
_BATCH = 4000
_SUBJECT_TIMEOUT_S = 1800
"""How long one subject may take; a million accounts are stored in three minutes, where nothing else goes on."""


async def stored(folder: Path, count: int) -> None:
    """Put so many accounts into a node's database."""
    app_id = json.loads((folder / "app.json").read_text())["id"]
    async with sqlite.open(folder / "data/heliograph.db") as stores:
        for begin in range(0, count, _BATCH):
            async with asyncio.TaskGroup() as tasks:
                for number in range(begin, min(begin + _BATCH, count)):
                    decide = decision(number, app_id, "localhost")
                    tasks.create_task(stores.accounts.register(_jid(decide), decide))


def _jid(decide: Callable[[Standing], Registration]) -> str:
    return decide(Standing(None, (), 0, has_name=False)).account.jid


async def set_profiles(server: Heliograph, accounts: list[Account], count: int) -> Row:
    """Changes of profiles by HTTP, of users who have no contacts."""
    pool = [await Http(server.http_port, server.headers(account)).open() for account in accounts]
    with Meter(server) as meter:
        await gather_limited(
            count,
            len(pool),
            lambda number, worker: pool[worker].call("PATCH", "/api/v1/profile", {"nickName": f"Name {number}"}),
        )
    return meter.per(count)


async def by_accounts(folder: Path, sizes: list[int]) -> AsyncIterator[Row]:
    """The cost of an operation by the number of accounts that are stored."""
    async with heliograph(folder):
        pass  # the app is made
    before = 0
    for size in sizes:
        await stored(folder, size - before)
        before = size
        async with heliograph(folder) as server:
            accounts, registered = await workloads.register(server, f"of{size}-", 1000, 16)
            signed_in = await workloads.sign_in(server, accounts[:700], 2000, 32)
            changed = await set_profiles(server, accounts[:16], 400)
        yield {
            "accounts stored": size,
            "register, CPU µs": registered["cpu_us"],
            "sign in, CPU µs": signed_in["cpu_us"],
            "profile set, CPU µs": changed["cpu_us"],
        }  # fmt: skip


async def by_contacts(folder: Path, sizes: list[int]) -> AsyncIterator[Row]:
    """The cost of a profile event by the number of contacts who are there."""
    async with heliograph(folder) as server:
        for size in sizes:
            latency, _, events = await workloads.fan_out(server, size, 25, 3)
            yield {
                "contacts online": size,
                "set to last, p50 ms": latency["p50_ms"],
                "set to last, p99 ms": latency["p99_ms"],
                "at saturation, CPU µs an event": events["cpu_us"],
            }  # fmt: skip


async def by_connections(folder: Path, sizes: list[int]) -> AsyncIterator[Row]:
    """The cost of a connection by their number, each size in a fresh process."""
    async with heliograph(folder) as server:
        accounts, _ = await workloads.register(server, "user", max(sizes), 16)
    for size in sizes:
        async with heliograph(folder) as server:
            await asyncio.sleep(3)
            row = await workloads.idle(server, accounts[:size])
        yield {
            "connections": size,
            "memory, KiB": row["kib_each"],
            "sign in, CPU µs": row["cpu_us"],
            "all are in, s": row["wall_s"],
        }  # fmt: skip


class Promise(NamedTuple):
    """That a cost does not grow with a subject's size."""

    subject: str
    column: str
    says: str


PROMISES = (
    Promise("By accounts stored", "register, CPU µs", "registering costs the same"),
    Promise("By accounts stored", "sign in, CPU µs", "signing in costs the same"),
    Promise("By accounts stored", "profile set, CPU µs", "setting a profile costs the same"),
    Promise("By contacts online", "at saturation, CPU µs an event", "a profile change costs in proportion"),
    Promise("By connections", "memory, KiB", "a connection takes the same memory"),
)
_ALLOWED = 1.25
"""How much more it may be at the largest size than at the cheapest smaller one: what noise may add."""


def judged(subjects: list[dict[str, Any]]) -> list[Row]:
    """What came of each promise whose subject was measured at more than one size."""
    rows_of = {subject["title"]: subject["rows"] for subject in subjects if len(subject["rows"]) > 1}
    found = []
    for promise in PROMISES:
        if promise.subject not in rows_of:
            continue
        *smaller, largest = (row[promise.column] for row in rows_of[promise.subject])
        grown = round(largest / min(smaller), 2)
        size, what = rows_of[promise.subject][-1], promise.says
        first = next(iter(size))
        met = "yes" if grown <= _ALLOWED else "no"
        found.append({"promise": f"{what} at {size[first]:,} {first}", "times the cheapest": grown, "met": met})
    return found


async def measure(folder: Path, *, is_quick: bool) -> tuple[list[dict[str, Any]], bool]:
    """All three subjects, and whether they are whole. One that fails or does not end is told of; what was found of it
    until then stays, and the others go on.
    """
    subjects = (
        ("By accounts stored", by_accounts, [1000, 10_000] if is_quick else [1000, 100_000, 1_000_000]),
        ("By contacts online", by_contacts, [10, 100] if is_quick else [10, 100, 1000, 10_000]),
        ("By connections", by_connections, [500, 1000] if is_quick else [1000, 5000, 10_000]),
    )
    found, is_whole = [], True
    for title, work, sizes in subjects:
        rows: list[Row] = []
        with tempfile.TemporaryDirectory(dir=folder) as own:
            try:
                async with asyncio.timeout(_SUBJECT_TIMEOUT_S), aclosing(work(Path(own), sizes)) as steps:
                    async for row in steps:
                        print(row, flush=True)
                        rows.append(row)
            except (OSError, RuntimeError, ExceptionGroup) as error:  # among them a timeout
                print(f"{title}: LEFT OUT from {sizes[len(rows)]} on: {error!r}", flush=True)
                is_whole = False
        if rows:
            found.append({"title": title, "rows": rows})
    return found, is_whole


def main() -> None:
    """Parse the command line, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, and nothing is kept")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as folder:
        subjects, is_whole = uvloop.run(measure(Path(folder), is_quick=options.quick))
    promises = judged(subjects)
    for row in promises:
        print(row)
    if not options.quick and subjects:
        machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}"
        report.keep("growth", {"machine": machine, "subjects": subjects, "promises": promises})
        report.write()
    if not is_whole:
        sys.exit("some of it was left out, see above")


if __name__ == "__main__":
    main()
