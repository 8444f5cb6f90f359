"""From what was measured to docs/reference/benchmarks.md and its plots.

python benchmarks/report.py
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

mpl.use("svg")  # no screen is asked for
from matplotlib import pyplot as plt

_RESULTS = Path(__file__).parent / "results"
_DOCS = Path(__file__).parents[1] / "docs/reference"
_SERVERS = ("heliograph", "prosody", "ejabberd")
_COLOURS = {"heliograph": "#1668b8", "prosody": "#8a8f98", "ejabberd": "#c2762b"}


class Bar(NamedTuple):
    """A row of the table: a figure of a workload, and how ours has to stand to the better peer's; 0 for no bar."""

    title: str
    workload: str
    figure: str
    bound: float = 0
    is_more_better: bool = False


BARS = (
    Bar("profile to 1,000 contacts, set to last, p50 (ms)", "profile to 1000 contacts, set to last", "p50_ms", 0.5),
    Bar("the same at saturation (events/s)", "profile events at saturation, 1000 contacts", "rate", 2.5, True),
    Bar("the same, server CPU (µs an event)", "profile events at saturation, 1000 contacts", "cpu_us", 0.3),
    Bar("profile to 100 contacts, set to last, p50 (ms)", "profile to 100 contacts, set to last", "p50_ms", 0.5),
    Bar(
        "whole profile known to 1,000 contacts, p50 (ms)",
        "whole profile known to 1000 contacts, set to last",
        "p50_ms",
        0.2,
    ),
    Bar("sign in, SCRAM, 32 at once (sessions/s)", "sign in, 32 at once", "rate", 2.5, True),
    Bar("the same, server CPU (µs)", "sign in, 32 at once", "cpu_us", 0.33),
    Bar("sign in, one at a time, p50 (ms)", "sign in, 1 at once", "p50_ms", 0.6),
    Bar("register, durable, 16 at once (/s)", "register 2000, 16 at once", "rate", 2.0, True),
    Bar("messages between 100 pairs (/s)", "messages between 100 pairs", "rate", 2.0, True),
    Bar("the same, server CPU (µs)", "messages between 100 pairs", "cpu_us", 0.4),
    Bar("the same, archived by all three (/s)", "messages between 100 pairs, archived", "rate", 0, True),
    Bar("archived, server CPU (µs)", "messages between 100 pairs, archived", "cpu_us"),
    Bar("5,000 users sign in at once (s)", "5000 sign in and stay", "wall_s", 0.5),
    Bar("memory of a connection at 5,000 (KiB)", "5000 sign in and stay", "kib_each"),
    Bar("sign in over TLS, 32 at once (sessions/s)", "sign in over TLS, 32 at once", "rate", 0, True),
    Bar("the same, server CPU (µs)", "sign in over TLS, 32 at once", "cpu_us"),
    Bar("messages over TLS between 100 pairs (/s)", "messages over TLS between 100 pairs", "rate", 0, True),
    Bar("the same, server CPU (µs)", "messages over TLS between 100 pairs", "cpu_us"),
)
_MEMORY_BAR_KIB = 14


def keep(name: str, results: dict[str, Any]) -> None:
    """Store what a run has found."""
    _RESULTS.mkdir(exist_ok=True)
    results = {"date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", **results}
    (_RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")


def kept(name: str) -> dict[str, Any] | None:
    """What a run has found."""
    file = _RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def bars(found: dict[str, Any]) -> str:
    """The bars as a Markdown table: medians, with the spread of ours."""
    lines = ["| workload | Heliograph | Prosody | ejabberd | ratio | bar | met |", "|---|---|---|---|---|---|---|"]
    lines += [_line(bar, found) for bar in BARS]
    return "\n".join(lines)


def _line(bar: Bar, found: dict[str, Any]) -> str:
    values = [found[name][bar.workload][bar.figure] for name in _SERVERS]
    ours, *peers = (statistics.median(each) for each in values)
    ratio = ours / (max(peers) if bar.is_more_better else min(peers))
    sign = "≥" if bar.is_more_better else "≤"
    if bar.figure == "kib_each":
        wanted, is_met = f"≤ {_MEMORY_BAR_KIB} KiB", "yes" if ours <= _MEMORY_BAR_KIB else "no"
    elif not bar.bound:
        wanted, is_met = "", ""
    else:
        is_good = ratio >= bar.bound if bar.is_more_better else ratio <= bar.bound
        wanted, is_met = f"{sign} {bar.bound}x", "yes" if is_good else "no"
    spread = f"{ours:,g} ({min(values[0]):,g} to {max(values[0]):,g})"
    figures = " | ".join([spread, *(f"{value:,g}" for value in peers)])
    return f"| {bar.title} | {figures} | {ratio:.2f}x | {wanted} | {is_met} |"


def ceiling(found: dict[str, Any]) -> str:
    """What the generator reaches on a server that checks nothing."""
    lines = ["| workload | stub, rate /s | stub, CPU (µs) | Heliograph, CPU (µs) |", "|---|---|---|---|"]
    for workload, figures in found["stub"].items():
        if "rate" in figures:
            ours = statistics.median(found["heliograph"][workload]["cpu_us"])
            rate, cost = (statistics.median(figures[figure]) for figure in ("rate", "cpu_us"))
            lines.append(f"| {workload} | {rate:,g} | {cost:,g} | {ours:,g} |")
    return "\n".join(lines)


def growth(results: dict[str, Any]) -> str:
    """The growth runs as Markdown tables, one a subject."""
    parts = []
    for subject in results["subjects"]:
        columns = list(subject["rows"][0])
        lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        lines += ["| " + " | ".join(f"{row[column]:,g}" for column in columns) + " |" for row in subject["rows"]]
        parts.append(f"**{subject['title']}**\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


# --------------------------------------------------------------------------------------------------------------- plots


def plot_peers(found: dict[str, Any]) -> None:
    """Each bar's ratio to the better peer, on a logarithmic scale; right is better."""
    shown = [bar for bar in BARS if bar.workload in found["heliograph"]]
    ratios = []
    for bar in shown:
        ours, *peers = (statistics.median(found[name][bar.workload][bar.figure]) for name in _SERVERS)
        ratio = ours / (max(peers) if bar.is_more_better else min(peers))
        ratios.append(ratio if bar.is_more_better else 1 / ratio)
    figure, axes = plt.subplots(figsize=(8, 0.36 * len(shown) + 1))
    places = range(len(shown))
    axes.barh(places, ratios, color=_COLOURS["heliograph"])
    axes.axvline(1, color="#444444", linewidth=1)
    for place, bar in zip(places, shown, strict=True):
        if bar.bound:
            bound = bar.bound if bar.is_more_better else 1 / bar.bound
            axes.plot([bound, bound], [place - 0.4, place + 0.4], color=_COLOURS["ejabberd"], linewidth=2)
    axes.set_xscale("log")
    axes.set_yticks(places, [bar.title for bar in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("times better than the better peer (orange: the bar)")
    _save(figure, "benchmarks-peers")


def plot_growth(results: dict[str, Any]) -> None:
    """Each subject's costs against its size, on logarithmic scales."""
    subjects = results["subjects"]
    figure, every = plt.subplots(1, len(subjects), figsize=(4 * len(subjects), 3.4))
    for axes, subject in zip(every, subjects, strict=True):
        first, *costs = list(subject["rows"][0])
        for cost in costs:
            points = [(row[first], row[cost]) for row in subject["rows"] if row[cost] > 0]
            axes.plot(*zip(*points, strict=True), marker="o", label=cost)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(first)
        axes.legend(fontsize=7)
        axes.set_title(subject["title"], fontsize=9)
    _save(figure, "benchmarks-growth")


def _save(figure: Any, name: str) -> None:
    figure.tight_layout()
    figure.savefig(_DOCS / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


# ---------------------------------------------------------------------------------------------------------------- page


def write() -> None:
    """The page and its plots, of all that was kept."""
    parts = [_INTRODUCTION]
    peers, grown = kept("peers"), kept("growth")
    if peers is not None:
        plot_peers(peers["found"])
        parts.append(
            f"## Beside the peers\n\n{peers['date']}: {peers['machine']}. Medians of {peers['rounds']} interleaved "
            f"rounds; of ours with the lowest and the highest.\n\n{bars(peers['found'])}\n\n"
            f"![Ratios to the better peer](benchmarks-peers.svg)\n\n{_PEERS}\n\n"
            f"## The ceiling of the generator\n\n{_CEILING}\n\n{ceiling(peers['found'])}"
        )
    if grown is not None:
        plot_growth(grown)
        parts.append(
            f"## Growth\n\n{grown['date']}: {grown['machine']}. One run of ours alone.\n\n{growth(grown)}\n\n"
            "![Costs against size](benchmarks-growth.svg)"
        )
    (_DOCS / "benchmarks.md").write_text("\n\n".join(parts) + "\n")


_INTRODUCTION = """# Benchmarks

Made by `make bench-peers` and `make bench-growth`; nothing here is typed by hand. Everything runs on one machine over
loopback, the load generator beside the server. Machines are noisy: trust the ratios more than the figures. What the
figures mean, and where the time goes, is in [performance](../explanation/performance.md)."""

_PEERS = """Ratios are to the better peer. Heliograph runs as it ships, but that it asks for no TLS and, as the peers
here, keeps no archive of messages, where a row does not say so: XML checks, limits and durable commits are on. Prosody
runs with its generational garbage collector, ejabberd without shapers; their configurations are in
`benchmarks/peers`."""

_CEILING = """The same generator on a server that checks nothing and answers from canned bytes. A figure of ours near
this one would say more of the generator than of the server."""


if __name__ == "__main__":
    write()
