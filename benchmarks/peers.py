"""Measure ours beside the peers: `make bench-peers`. Rounds are interleaved, figures are medians. Loopback only.

Needs Debian's packages prosody and ejabberd, with their services stopped, and root, as ejabberd's program asks for it.
What is found goes to benchmarks/results/peers.json, and from there into docs/reference/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import uvloop

import report
import workloads
from servers import Server, ejabberd, heliograph, prosody, stub
from workloads import Row


class Start(Protocol):
    """Starts a server in a folder."""

    def __call__(
        self, folder: Path, fans: Sequence[int] = (), *, has_archive: bool = False
    ) -> AbstractAsyncContextManager[Server]: ...


Found = dict[str, dict[str, dict[str, list[float]]]]
"""Server, workload, figure: the values of all rounds."""

_STARTS: dict[str, Start] = {"heliograph": heliograph, "prosody": prosody, "ejabberd": ejabberd}
_FANS = (100, 1000)
_CROWD = 5000
_ARCHIVED = "messages between 100 pairs, archived"


async def rows(server: Server, *, is_stub: bool) -> AsyncIterator[Row]:
    """The workloads of a round on one server, a stub's as far as it goes."""
    accounts, row = await workloads.register(server, "user", 2000, 16)
    if not is_stub:
        yield row
    yield await workloads.sign_in(server, accounts[:700], 2000, 32)
    yield await workloads.sign_in(server, accounts[:20], 300, 1)
    yield await workloads.messages(server, accounts, 100, 3)
    if not is_stub:
        yield await workloads.sign_in(server, accounts[:700], 1000, 32, is_tls=True)
        yield await workloads.messages(server, accounts, 100, 3, is_tls=True)
    for size in _FANS:
        if size > _FANS[0] and is_stub:
            return  # it cannot tell the contacts of one hub from those of another
        for row in await workloads.fan_out(server, size, 25, 3):
            yield row


async def crowd(start: Start, folder: Path) -> Row:
    """As many as that sign in at once and stay. The process has registered them before, so its memory may have room."""
    async with start(folder) as server:
        accounts, _ = await workloads.register(server, "crowd", _CROWD, 16)
        await asyncio.sleep(3)  # until it has settled
        return await workloads.idle(server, accounts)


async def measure(rounds: int, folder: Path) -> Found:
    """Everything, round by round."""
    found: Found = {}

    def note(server: str, row: Row) -> None:
        print(f"{server:<11} {row}", flush=True)
        for figure, value in row.items():
            if figure != "workload":
                found.setdefault(server, {}).setdefault(row["workload"], {}).setdefault(figure, []).append(value)

    for number in range(rounds):
        print(f"round {number + 1}", flush=True)
        for name, start in {**_STARTS, "stub": stub}.items():
            with tempfile.TemporaryDirectory(dir=folder) as fresh:
                async with start(Path(fresh), _FANS) as server:
                    async for row in rows(server, is_stub=name == "stub"):
                        note(name, row)
        for name, start in _STARTS.items():
            with tempfile.TemporaryDirectory(dir=folder) as fresh:
                async with start(Path(fresh), has_archive=True) as server:
                    accounts, _ = await workloads.register(server, "user", 200, 16)
                    note(name, {**await workloads.messages(server, accounts, 100, 3), "workload": _ARCHIVED})
            with tempfile.TemporaryDirectory(dir=folder) as fresh:
                note(name, await crowd(start, Path(fresh)))
    return found


def machine() -> str:
    """What the figures were found on."""
    query = ("dpkg-query", "-W", "-f", "${Package} ${Version}, ", "prosody", "ejabberd")
    versions = subprocess.run(query, capture_output=True, text=True, check=True).stdout.rstrip(", ")
    return f"{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}, {versions}"


def main() -> None:
    """Parse the command line, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="at least 3 for figures to be quoted")
    options = parser.parse_args()
    missing = [name for name in ("prosody", "ejabberdctl") if shutil.which(name) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)} (apt-get install prosody ejabberd, then stop their services)")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        found = uvloop.run(measure(options.rounds, Path(folder)))
    report.keep("peers", {"machine": machine(), "rounds": options.rounds, "found": found})
    report.write()
    print(report.bars(found))


if __name__ == "__main__":
    main()
