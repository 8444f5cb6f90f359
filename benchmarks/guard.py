"""Watch for a large loss of speed: `make bench-guard`. Loopback only, under a minute.

Machines differ and are noisy, so a cost is told as a multiple of what the same work costs a stub that checks nothing,
in the same run, and of a registration as a multiple of the PBKDF2 that it takes. It is compared with the medians in
benchmarks/results/guard.csv. Each round is a run of its own; the guard fails where every round lost more than is
allowed. Counts of instructions would be steadier; few virtual machines let `perf` have them.

    python benchmarks/guard.py [--rounds 3] [--record]
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop

import workloads
from heliograph.core import limits
from heliograph.xmpp.scram import derive
from servers import Server, heliograph, stub

_HISTORY = Path(__file__).parent / "results/guard.csv"
_REGISTER = "register, 16 at once"
_DERIVED = 200
_ALLOWED = 2.0
"""How much more a workload may cost than it did, in every round: machines differ in what a system call costs."""


async def costs(server: Server) -> dict[str, float]:
    """CPU microseconds of an operation, by workload."""
    accounts, registered = await workloads.register(server, "user", 500, 16)
    rows = [
        registered,
        await workloads.sign_in(server, accounts, 1000, 32),
        await workloads.messages(server, accounts, 50, 2),
        (await workloads.fan_out(server, 200, 5, 2))[-1],
    ]
    return {row["workload"]: row["cpu_us"] for row in rows}


def pbkdf2_us() -> float:
    """CPU microseconds of the verifiers of one password."""
    begin = time.process_time()
    for _ in range(_DERIVED):
        for algorithm in ("sha1", "sha256"):
            derive("a password of a device", bytes(limits.SALT_BYTES), limits.SCRAM_ITERATIONS, algorithm)
    return (time.process_time() - begin) * 1e6 / _DERIVED


async def ratios() -> dict[str, float]:
    """One round: what ours costs for each microsecond of the stub's."""
    found = []
    for start in (stub, heliograph):
        with tempfile.TemporaryDirectory(prefix="bench-guard-") as folder:
            async with start(Path(folder)) as server:
                found.append(await costs(server))
    base, ours = found
    base[_REGISTER] = pbkdf2_us()
    return {workload: round(ours[workload] / base[workload], 2) for workload in base}


def history() -> dict[str, float]:
    """The newest record of each workload."""
    with _HISTORY.open(newline="") as file:
        return {row["workload"]: float(row["ratio"]) for row in csv.DictReader(file)}


def record(medians: dict[str, float]) -> None:
    """Append what was found."""
    is_new = not _HISTORY.exists()
    with _HISTORY.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(["date", "workload", "ratio"])
        writer.writerows([f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", *pair] for pair in medians.items())


def main() -> None:
    """Parse the command line, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="append the medians to the history")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rounds = [uvloop.run(ratios()) for _ in range(options.rounds)]
    medians = {workload: statistics.median(each[workload] for each in rounds) for workload in rounds[0]}
    if options.record:
        record(medians)
    known, lost = history(), []
    for workload, median in medians.items():
        least = min(each[workload] for each in rounds)
        is_lost = workload in known and least > known[workload] * _ALLOWED
        lost += [workload] if is_lost else []
        recorded = f"{known[workload]:5.2f}x" if workload in known else "nothing"
        print(f"{workload:<48} {median:5.2f}x what it costs bare, on record {recorded}{'   LOST' * is_lost}")
    if lost:
        sys.exit(f"every round cost more than {_ALLOWED} times what is on record: {', '.join(lost)}")


if __name__ == "__main__":
    main()
