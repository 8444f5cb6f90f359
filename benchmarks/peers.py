"""Measure ours beside the peers: `make bench-peers`. Rounds are interleaved, figures are medians. Loopback only.

Needs Debian's packages prosody and ejabberd, with their services stopped, and root, as ejabberd's program asks for it.
What is found goes to benchmarks/results/peers.json, and from there into docs/reference/benchmarks.md. A part that fails
or does not end is told of and left out; the rest goes on.
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
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import uvloop

import qr_sign_in
import report
import workloads
from heliograph.core import limits
from heliograph.system.logs import configure_logs
from servers import Heliograph, Server, ejabberd, heliograph, prosody, stub
from workloads import Row


class Start(Protocol):
    """Starts a server in a folder."""

    def __call__(self, folder: Path, *, has_archive: bool = False) -> AbstractAsyncContextManager[Server]: ...


class Scale(NamedTuple):
    """How much is done."""

    accounts: int = 2000
    sign_ins: int = 2000
    seconds: float = 3
    fan_outs: int = 25
    crowd: int = 5000
    burst: int = 1000
    endings: int = 100
    qr_sign_ins: int = 40


QUICK = Scale(accounts=400, sign_ins=200, seconds=1, fan_outs=3, crowd=300, burst=100, endings=10, qr_sign_ins=3)

Found = dict[str, dict[str, dict[str, list[float]]]]
"""Server, workload, figure: the values of all rounds."""

_FANS = (100, 1000)
_STARTS: dict[str, Start] = {"heliograph": heliograph, "prosody": partial(prosody, fans=_FANS), "ejabberd": ejabberd}
_ROUNDS_OF_OURS = 2 * limits.SCRAM_ITERATIONS
"""Rounds of PBKDF2 that a registration of ours takes: SCRAM-SHA-1 and SCRAM-SHA-256."""
_PART_TIMEOUT_S = 240
"""How long one server may take for its part of a round; it takes about one."""


async def rows(server: Server, scale: Scale) -> AsyncIterator[Row]:
    """The workloads of a round on one server."""
    accounts, row = await workloads.register(server, "user", scale.accounts, 16)
    yield row
    yield await workloads.sign_in(server, accounts[:700], scale.sign_ins, 32)
    yield await workloads.sign_in(server, accounts[:20], scale.sign_ins // 7, 1)
    yield await workloads.messages(server, accounts, 100, scale.seconds)
    yield await workloads.sign_in(server, accounts[:700], scale.sign_ins // 2, 32, is_tls=True)
    yield await workloads.messages(server, accounts, 100, scale.seconds, is_tls=True)
    for size in _FANS:
        for row in await workloads.fan_out(server, size, scale.fan_outs, scale.seconds):
            yield row
    if isinstance(server, Heliograph):
        yield await workloads.endings(server, accounts, scale.endings)


async def ceiling(server: Server, scale: Scale) -> AsyncIterator[Row]:
    """What the generator reaches on a stub, which cannot tell the contacts of one hub from those of another."""
    accounts, _ = await workloads.register(server, "user", scale.accounts, 16)
    yield await workloads.sign_in(server, accounts[:700], scale.sign_ins, 32)
    yield await workloads.sign_in(server, accounts[:20], scale.sign_ins // 7, 1)
    yield await workloads.messages(server, accounts, 100, scale.seconds)
    for row in await workloads.fan_out(server, _FANS[0], scale.fan_outs, scale.seconds):
        yield row


async def archived(server: Server, scale: Scale) -> AsyncIterator[Row]:
    """Messages on a server that keeps them."""
    accounts, _ = await workloads.register(server, "user", 200, 16)
    row = await workloads.messages(server, accounts, 100, scale.seconds)
    yield {**row, "workload": f"{row['workload']}, archived"}


async def crowd(server: Server, scale: Scale) -> AsyncIterator[Row]:
    """As many as that sign in at once and stay. The process has registered them before, so its memory may have room."""
    accounts, _ = await workloads.register(server, "crowd", scale.crowd, 16)
    await asyncio.sleep(3)  # until it has settled
    yield await workloads.idle(server, accounts)


async def as_many_rounds(server: Server, scale: Scale) -> AsyncIterator[Row]:
    """Registrations on a server that takes as many rounds of PBKDF2 as ours."""
    _, row = await workloads.register(server, "user", scale.accounts, 16)
    yield {**row, "workload": workloads.AS_MANY_ROUNDS}


async def burst(node: Heliograph, number: int, scale: Scale) -> AsyncIterator[Row]:
    """As many registrations as passwords lie ready, in single calls or in one."""
    await node.prepare(scale.burst)
    if number == 0:
        yield await workloads.burst(node, "single", scale.burst)
    else:
        yield await workloads.register_at_once(node, "bulk", scale.burst)


async def qr_sign_ins(scale: Scale) -> AsyncIterator[Row]:
    """From a phone's approval to the browser that is connected, over TLS, with the Python SDK on both sides."""
    yield workloads.qr_row(await qr_sign_in.measure(scale.qr_sign_ins))


class Run:
    """All rounds, and what they have found."""

    def __init__(self, folder: Path, scale: Scale) -> None:
        self.found: Found = {}
        self._folder = folder
        self._scale = scale

    async def round(self) -> None:
        """One round. The node for bursts prepares its passwords while the others are measured, which takes it a
        hundredth of a core.
        """
        fresh = tempfile.TemporaryDirectory(dir=self._folder)
        with fresh as folder:
            async with heliograph(Path(folder)) as node:
                for name, start in _STARTS.items():
                    await self._part(name, start, rows)
                await self._part("stub", stub, ceiling)
                await self._note("heliograph", burst(node, 0, self._scale))
                await self._part("prosody", partial(prosody, rounds=_ROUNDS_OF_OURS), as_many_rounds)
                for name, start in _STARTS.items():
                    await self._part(name, partial(start, has_archive=True), archived)
                    await self._part(name, start, crowd)
                await self._part("stub", stub, crowd)
                await self._note("heliograph", qr_sign_ins(self._scale))
                await self._note("heliograph", burst(node, 1, self._scale))

    async def _part(
        self,
        name: str,
        start: Callable[[Path], AbstractAsyncContextManager[Server]],
        part: Callable[[Server, Scale], AsyncIterator[Row]],
    ) -> None:
        """Some workloads on a server of their own."""

        async def started() -> AsyncIterator[Row]:
            with tempfile.TemporaryDirectory(dir=self._folder) as fresh:
                async with start(Path(fresh)) as server:
                    async for row in part(server, self._scale):
                        yield row

        await self._note(name, started())

    async def _note(self, name: str, found: AsyncIterator[Row]) -> None:
        try:
            async with asyncio.timeout(_PART_TIMEOUT_S):
                async for row in found:
                    print(f"{name:<11} {row}", flush=True)
                    for figure, value in row.items():
                        if figure != "workload":
                            figures = self.found.setdefault(name, {}).setdefault(row["workload"], {})
                            figures.setdefault(figure, []).append(value)
        except (OSError, RuntimeError, ExceptionGroup) as error:  # among them a timeout
            print(f"{name:<11} LEFT OUT: {error!r}", flush=True)


async def measure(rounds: int, scale: Scale) -> Found:
    """Everything, round by round."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        run = Run(Path(folder), scale)
        for number in range(rounds):
            print(f"round {number + 1}", flush=True)
            await run.round()
    return run.found


def machine() -> str:
    """What the figures were found on."""
    query = ("dpkg-query", "-W", "-f", "${Package} ${Version}, ", "prosody", "ejabberd")
    versions = subprocess.run(query, capture_output=True, text=True, check=True).stdout.rstrip(", ")
    return f"{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}, {versions}"


def main() -> None:
    """Parse the command line, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="at least 3 for figures to be quoted")
    parser.add_argument("--quick", action="store_true", help="a little of everything, and nothing is kept")
    options = parser.parse_args()
    missing = [name for name in ("prosody", "ejabberdctl") if shutil.which(name) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)} (apt-get install prosody ejabberd, then stop their services)")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    configure_logs("error", "text")
    found = uvloop.run(measure(options.rounds, QUICK if options.quick else Scale()))
    print(report.bars(found))
    if not options.quick:
        report.keep("peers", {"machine": machine(), "rounds": options.rounds, "found": found})
        report.write()


if __name__ == "__main__":
    main()
