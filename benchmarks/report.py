"""From what was measured to docs/reference/benchmarks.md and its plots.

python benchmarks/report.py
"""

from __future__ import annotations

import datetime as dt
import json
import math
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

mpl.use("svg")  # no screen is asked for
from matplotlib import pyplot as plt

from workloads import AS_MANY_ROUNDS

_RESULTS = Path(__file__).parent / "results"
_DOCS = Path(__file__).parents[1] / "docs/reference"
_SERVERS = ("heliograph", "prosody", "ejabberd")
_TICKS = (0.5, 1, 2, 5, 10, 20)
_COLOURS = {"heliograph": "#1668b8", "prosody": "#8a8f98", "ejabberd": "#c2762b"}


class Bar(NamedTuple):
    """A row of the table: a figure of a workload, and how ours has to stand.

    Attributes:
        bound: how many times the better peer's figure ours has to be; 0 for no such bar.
        limit: what ours has to be in its own unit; 0 for no such bar.
        peers: another workload that the peers' figures are of; `None` for the same one.
    """

    title: str
    workload: str
    figure: str
    bound: float = 0
    is_more_better: bool = False
    limit: float = 0
    peers: str | None = None


_SUSTAINED, _BULK, _SINGLE = "register, 16 at once", "register burst, one call", "register burst, single calls"
_FAN_OUT, _SATURATION = "profile to 1000 contacts, set to last", "profile events at saturation, 1000 contacts"
_WHOLE = "whole profile known to 1000 contacts, set to last"
_MESSAGES, _OVER_TLS = "messages between 100 pairs", "messages over TLS between 100 pairs"
_ENDED, _QR = "session ended -> socket closed, under load", "QR sign-in, approved -> connected"

BARS = (
    Bar("profile to 1,000 contacts, set to last, p50 (ms)", _FAN_OUT, "p50_ms", 0.5),
    Bar("profile to 1,000 contacts at saturation (events/s)", _SATURATION, "rate", 2.5, True),
    Bar("the same, server CPU an event (µs)", _SATURATION, "cpu_us", 0.3),
    Bar("profile to 100 contacts, set to last, p50 (ms)", "profile to 100 contacts, set to last", "p50_ms", 0.5),
    Bar("whole profile known to 1,000 contacts, p50 (ms)", _WHOLE, "p50_ms", 0.2),
    Bar("sign in, SCRAM, 32 at once (sessions/s)", "sign in, 32 at once", "rate", 2.5, True),
    Bar("sign in, 32 at once, server CPU (µs)", "sign in, 32 at once", "cpu_us", 0.33),
    Bar("sign in, one at a time, p50 (ms)", "sign in, 1 at once", "p50_ms", 0.6),
    Bar("register, durable, 16 at once (/s)", _SUSTAINED, "rate", 2.0, True),
    Bar("register, Prosody at as many rounds of PBKDF2 (/s)", _SUSTAINED, "rate", 2.0, True, peers=AS_MANY_ROUNDS),
    Bar("register, as many rounds, server CPU (µs)", _SUSTAINED, "cpu_us", peers=AS_MANY_ROUNDS),
    Bar("register 1,000 at a stroke, one call (/s)", _BULK, "rate", 10, True, peers=_SUSTAINED),
    Bar("register 1,000 at a stroke, single calls (/s)", _SINGLE, "rate", 10, True, peers=_SUSTAINED),
    Bar("messages between 100 pairs (/s)", _MESSAGES, "rate", 2.0, True),
    Bar("messages, server CPU (µs)", _MESSAGES, "cpu_us", 0.4),
    Bar("messages, archived by all three (/s)", f"{_MESSAGES}, archived", "rate", 0, True),
    Bar("messages, archived, server CPU (µs)", f"{_MESSAGES}, archived", "cpu_us"),
    Bar("5,000 users sign in at once (s)", "all sign in and stay", "wall_s", 0.5),
    Bar("memory of a connection at 5,000 (KiB)", "all sign in and stay", "kib_each", limit=14),
    Bar("QR sign-in, approved to connected, p50 (ms)", _QR, "p50_ms", limit=50),
    Bar("session ended to socket closed, p99 under load (ms)", _ENDED, "p99_ms", limit=50),
    Bar("sign in over TLS, 32 at once (sessions/s)", "sign in over TLS, 32 at once", "rate", 0, True),
    Bar("sign in over TLS, server CPU (µs)", "sign in over TLS, 32 at once", "cpu_us"),
    Bar("messages over TLS between 100 pairs (/s)", _OVER_TLS, "rate", 0, True),
    Bar("messages over TLS, server CPU (µs)", _OVER_TLS, "cpu_us"),
)

Values = list[float]
Found = dict[str, dict[str, dict[str, Values]]]


class Standing(NamedTuple):
    """How ours stands at a bar; what was not measured is `None`, as with the peers what they do not have."""

    bar: Bar
    ours: Values | None
    peers: tuple[float | None, ...]

    @classmethod
    def of(cls, bar: Bar, found: Found) -> Standing:
        """Look up what was found."""

        def values(server: str, workload: str) -> Values | None:
            return found.get(server, {}).get(workload, {}).get(bar.figure)

        of_peers = [values(name, bar.peers or bar.workload) or values(name, bar.workload) for name in _SERVERS[1:]]
        medians = tuple(statistics.median(each) if each else None for each in of_peers)
        return cls(bar, values(_SERVERS[0], bar.workload), medians)

    @property
    def median(self) -> float:
        """Ours."""
        return statistics.median(self.ours or [math.nan])

    @property
    def ratio(self) -> float | None:
        """Ours to the better peer's."""
        known = [figure for figure in self.peers if figure]
        if not known or not self.ours:
            return None
        return self.median / (max(known) if self.bar.is_more_better else min(known))

    @property
    def is_met(self) -> bool | None:
        """Whether the bar is met; `None` where there is none, or nothing to judge it by."""
        if not self.ours:
            return None
        if self.bar.limit:
            return self.median <= self.bar.limit
        if not self.bar.bound or self.ratio is None:
            return None
        return self.ratio >= self.bar.bound if self.bar.is_more_better else self.ratio <= self.bar.bound

    def line(self) -> str:
        """A line of the Markdown table."""
        ours = "not measured"
        if self.ours:
            ours = f"{_shown(self.median)} ({_shown(min(self.ours))} to {_shown(max(self.ours))})"
        peers = ["-" if figure is None else _shown(figure) for figure in self.peers]
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}x"
        sign = "≥" if self.bar.is_more_better else "≤"
        wanted = f"≤ {self.bar.limit:g}" if self.bar.limit else f"{sign} {self.bar.bound:g}x" if self.bar.bound else ""
        met = {True: "yes", False: "no", None: ""}[self.is_met]
        return f"| {' | '.join([self.bar.title, ours, *peers, ratio, wanted, met])} |"


def _shown(value: float) -> str:
    """A figure to three places, or to the unit where it is larger."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def keep(name: str, results: dict[str, Any]) -> None:
    """Store what a run has found."""
    _RESULTS.mkdir(exist_ok=True)
    results = {"date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", **results}
    (_RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")


def kept(name: str) -> dict[str, Any] | None:
    """What a run has found."""
    file = _RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def bars(found: Found) -> str:
    """The bars as a Markdown table: medians, with the spread of ours."""
    lines = ["| workload | Heliograph | Prosody | ejabberd | ratio | bar | met |", "|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(Standing.of(bar, found).line() for bar in BARS)])


def ceiling(found: Found) -> str:
    """What the generator reaches on a server that checks nothing."""
    lines = [
        "| workload | stub, rate /s | Heliograph, rate /s | stub, CPU (µs) | Heliograph, CPU (µs) |",
        "|---|---|---|---|---|",
    ]
    for workload, figures in found.get("stub", {}).items():
        ours = found.get("heliograph", {}).get(workload)
        if "rate" in figures and ours is not None:
            cells = [
                _shown(statistics.median(each[figure])) for figure in ("rate", "cpu_us") for each in (figures, ours)
            ]
            lines.append(f"| {workload} | {' | '.join(cells)} |")
    return "\n".join(lines)


def growth(results: dict[str, Any]) -> str:
    """The growth runs as Markdown tables, one a subject."""
    parts = [f"**{subject['title']}**\n\n{_table(subject['rows'])}" for subject in results["subjects"]]
    judged = [_PROMISES, _table(results["promises"])] if results["promises"] else []
    return "\n\n".join([*parts, *judged])


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    for row in rows:
        cells = [value if isinstance(value, str) else _shown(value) for value in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


# --------------------------------------------------------------------------------------------------------------- plots


def plot_peers(found: Found) -> None:
    """Each bar's ratio to the better peer, on a logarithmic scale; right is better."""
    shown = [
        (bar, ratio if bar.is_more_better else 1 / ratio) for bar in BARS if (ratio := Standing.of(bar, found).ratio)
    ]
    figure, axes = plt.subplots(figsize=(8, 0.36 * len(shown) + 1))
    axes.barh(range(len(shown)), [ratio - 1 for _, ratio in shown], left=1, color=_COLOURS["heliograph"])
    axes.margins(y=0.01)
    axes.axvline(1, color="#444444", linewidth=1)
    for place, (bar, _) in enumerate(shown):
        if bar.bound:
            bound = bar.bound if bar.is_more_better else 1 / bar.bound
            axes.plot([bound, bound], [place - 0.4, place + 0.4], color=_COLOURS["ejabberd"], linewidth=2)
    axes.set_xscale("log")
    axes.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.set_yticks(range(len(shown)), [bar.title for bar, _ in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("times better than the better peer (orange: the bar)")
    _save(figure, "benchmarks-peers")


def plot_growth(results: dict[str, Any]) -> None:
    """Each subject's costs against its size, on logarithmic scales."""
    subjects = results["subjects"]
    figure, every = plt.subplots(1, len(subjects), figsize=(4 * len(subjects), 3.4), squeeze=False)
    for axes, subject in zip(every[0], subjects, strict=True):
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
    _link()


def _link() -> None:
    """The list of all pages names this one, once it is there."""
    index = _DOCS.parent / "index.md"
    text = index.read_text()
    if "reference/benchmarks.md" not in text:
        index.write_text(text.replace(_BEFORE_LINK, f"{_LINK}\n\n{_BEFORE_LINK}"))


_BEFORE_LINK = "## Understand\n"
_LINK = """Of measurements:

- [Benchmarks](reference/benchmarks.md): beside Prosody and ejabberd, and by what is stored, watched and connected"""

_INTRODUCTION = """# Benchmarks

Made by `make bench-peers` and `make bench-growth`; nothing here is typed by hand. Everything runs on one machine over
loopback, the load generator beside the server. Machines are noisy: trust the ratios more than the figures. What the
figures mean, and where the time goes, is in [performance](../explanation/performance.md)."""

_PEERS = """Ratios are to the better peer. Heliograph runs as it ships, but that it asks for no TLS and, as the peers
here, keeps no archive of messages, where a row does not say so: XML checks, limits and durable commits are on. Prosody
runs with its generational garbage collector, ejabberd without shapers; their configurations are in
`benchmarks/peers`.

A registration of ours takes 8,192 rounds of PBKDF2: 4,096 for SCRAM-SHA-1 and as many for SCRAM-SHA-256. One of
Prosody's takes 10,000 by default, one of ejabberd's 4,096, both for SCRAM-SHA-1 alone. A burst of ours draws on
passwords that lie ready; the peers prepare nothing, so it stands beside their sustained rate.

Of the 5,000 who sign in at once, 240 are on their way at any time: one address may have 256 connections to a node of
ours that have not signed in. Their client keys are computed before, so that the figure is the server's and not the
generator's."""

_PROMISES = """What must not grow, and how many times what it costs at the cheapest smaller size it costs at the
largest; up to 1.25 counts as the same."""

_CEILING = """The same generator on a server that checks nothing and answers from canned bytes. A figure of ours near
this one would say more of the generator than of the server."""


if __name__ == "__main__":
    write()
