"""Measure one node on this machine: `make bench`, or `python benchmarks/run.py [--quick]`. Loopback only, minutes."""

from __future__ import annotations

import argparse
import platform
import resource
import sys
import tempfile
from pathlib import Path

import uvloop

import workloads
from servers import heliograph
from workloads import Row


def show(row: Row) -> None:
    """Print a row."""
    figures = "  ".join(f"{name} {value}" for name, value in row.items() if name != "workload")
    print(f"{row['workload']:<48} {figures}", flush=True)


async def measure(*, is_quick: bool) -> None:
    """All workloads on one node."""
    scale = 5 if is_quick else 1
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as folder:
        async with heliograph(Path(folder)) as node:
            await node.prepare(1000 // scale)
            show(await workloads.register_at_once(node, "bulk", 1000 // scale))
            accounts, row = await workloads.register(node, "user", 4000 // scale, 16)
            show(row)
            show(await workloads.sign_in(node, accounts[:700], 4000 // scale, 32))
            show(await workloads.sign_in(node, accounts[:20], 400 // scale, 1))
            show(await workloads.messages(node, accounts, 100, 4 / scale))
            for size in (10, 100, 1000):
                for each in await workloads.fan_out(node, size, 100 // scale, 4 / scale):
                    show(each)
            show(await workloads.idle(node, accounts))
            show(await workloads.endings(node, accounts, 200 // scale))
            await node.prepare(1000 // scale)
            show(await workloads.burst(node, "burst", 1000 // scale))


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the work")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"{platform.platform()}, Python {sys.version.split()[0]}, {soft} -> {hard} open files")
    uvloop.run(measure(is_quick=options.quick))


if __name__ == "__main__":
    main()
