"""Measure ours beside the peers: `make bench-peers`. Rounds are interleaved, figures are medians. Loopback only.

Needs Debian's packages prosody and ejabberd, with their services stopped, and root, as ejabberd's program asks for it.
Writes the table to docs/reference/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple

import uvloop

import workloads
from servers import Server, ejabberd, heliograph, prosody
from workloads import Row

Start = Callable[[Sequence[int]], AbstractAsyncContextManager[Server]]

_STARTS: dict[str, Start] = {"heliograph": heliograph, "prosody": prosody, "ejabberd": ejabberd}
_FANS = (100, 1000)
_PAGE = Path(__file__).parents[1] / "docs/reference/benchmarks.md"


class Bar(NamedTuple):
    """A row of the table: a figure of a workload, and how ours has to stand to the better peer's."""

    title: str
    workload: str
    figure: str
    bound: float
    is_more_better: bool = False


BARS = (
    Bar("profile to 1,000 contacts, set to last, p50 (ms)", "profile to 1000 contacts, set to last", "p50_ms", 0.5),
    Bar("the same at saturation (events/s)", "profile events at saturation, 1000 contacts", "rate", 2.5, True),
    Bar("the same, server CPU (µs an event)", "profile events at saturation, 1000 contacts", "cpu_us", 0.3),
    Bar("profile to 100 contacts, set to last, p50 (ms)", "profile to 100 contacts, set to last", "p50_ms", 0.5),
    Bar("sign in, SCRAM, 32 at once (sessions/s)", "sign in, 32 at once", "rate", 2.5, True),
    Bar("the same, server CPU (µs)", "sign in, 32 at once", "cpu_us", 0.33),
    Bar("sign in, one at a time, p50 (ms)", "sign in, 1 at once", "p50_ms", 0.6),
    Bar("register, durable, 16 at once (/s)", "register 2000, 16 at once", "rate", 2.0, True),
    Bar("messages between 100 pairs (/s)", "messages between 100 pairs", "rate", 2.0, True),
    Bar("the same, server CPU (µs)", "messages between 100 pairs", "cpu_us", 0.4),
    Bar("2,000 users sign in at once (s)", "2000 sign in and stay", "wall_s", 0.5),
)


async def rows(server: Server) -> AsyncIterator[Row]:
    """All workloads on one server, one round."""
    accounts, row = await workloads.register(server, "user", 2000, 16)
    yield row
    yield await workloads.sign_in(server, accounts[:700], 2000, 32)
    yield await workloads.sign_in(server, accounts[:20], 300, 1)
    yield await workloads.messages(server, accounts, 100, 3)
    for size in _FANS:
        for row in await workloads.fan_out(server, size, 25, 3):
            yield row
    yield await workloads.idle(server, accounts)


async def measure(rounds: int) -> dict[tuple[str, str, str], float]:
    """The median of each figure by server, workload and figure."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for number in range(rounds):
        for name, start in _STARTS.items():
            async with start(_FANS) as server:
                async for row in rows(server):
                    print(f"round {number + 1}  {name:<11} {row}", flush=True)
                    for figure, value in row.items():
                        if figure != "workload":
                            found.setdefault((name, row["workload"], figure), []).append(value)
    return {key: statistics.median(values) for key, values in found.items()}


def table(medians: dict[tuple[str, str, str], float]) -> str:
    """The bars as a Markdown table."""
    lines = ["| workload | Heliograph | Prosody | ejabberd | ratio | bar | met |", "|---|---|---|---|---|---|---|"]
    for bar in BARS:
        ours, *peers = (medians[name, bar.workload, bar.figure] for name in _STARTS)
        ratio = ours / (max(peers) if bar.is_more_better else min(peers))
        is_met = ratio >= bar.bound if bar.is_more_better else ratio <= bar.bound
        sign = "≥" if bar.is_more_better else "≤"
        figures = " | ".join(f"{value:,g}" for value in (ours, *peers))
        lines.append(f"| {bar.title} | {figures} | {ratio:.2f} | {sign} {bar.bound} | {'yes' if is_met else 'no'} |")
    return "\n".join(lines)


def page(medians: dict[tuple[str, str, str], float], rounds: int) -> str:
    """The reference page."""
    query = ("dpkg-query", "-W", "-f", "${Package} ${Version}, ", "prosody", "ejabberd")
    versions = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    return f"""# Benchmarks

Made by `make bench-peers` on {dt.datetime.now(dt.UTC):%Y-%m-%d}; medians of {rounds} interleaved rounds, all on one
machine over loopback without TLS. Ratios are to the better peer. Machines are noisy: trust the ratios more than the
figures.

{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}, {versions.rstrip(", ")}.

{table(medians)}

Heliograph runs as it ships, but for `xmpp_requires_tls = false`: XML checks, limits and durable commits are on. Prosody
runs with its generational garbage collector, ejabberd without shapers; their configurations are in `benchmarks/peers`.
"""


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
    medians = uvloop.run(measure(options.rounds))
    _PAGE.write_text(page(medians, options.rounds))
    print(table(medians))


if __name__ == "__main__":
    main()
