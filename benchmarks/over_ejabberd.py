"""Measure Heliograph over ejabberd beside ejabberd alone: `python benchmarks/over_ejabberd.py [--rounds 3] [--quick]`.

Rounds are interleaved, figures are medians. What counts is CPU time, of the node, of ejabberd and of its authentication
programs together: it says what the control plane adds. Over Heliograph a client signs in by PLAIN, as external
authentication takes nothing else; ejabberd alone is asked by SCRAM. Needs Debian's package ejabberd.

The table goes into docs/explanation/engines.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stage"))

import workloads
from clients import DOMAIN, Account, Http, Xmpp
from ejabberd_server import EjabberdServer, ejabberd_in
from meters import Meter, cpu_s
from servers import Ejabberd, Heliograph, Server, ejabberd, new_app
from workloads import Row

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "engines.md"
_START, _END = "<!-- made by `benchmarks/over_ejabberd.py` -->\n\n", "\n<!-- end -->\n"
_PART_TIMEOUT_S = 240
_QUIET_CORES, _LOOK_S = 0.1, 0.5
_START_TIMEOUT_S = 60


class Scale(NamedTuple):
    """How much is done."""

    accounts: int = 400
    sign_ins: int = 600
    endings: int = 100
    fans: tuple[int, ...] = (100, 1000)
    fan_outs: int = 25
    seconds: float = 2


QUICK = Scale(accounts=60, sign_ins=60, endings=10, fans=(30,), fan_outs=3, seconds=1)


class OverEjabberd(Heliograph):
    """A node, and the ejabberd that serves its users."""

    name = "over ejabberd"

    def __init__(self, pids: tuple[int, int], http_port: int, xmpp_port: int, keys: dict[str, dict[str, str]]) -> None:
        super().__init__(pids[0], xmpp_port, keys)
        self.pids, self.http_port = pids, http_port

    async def befriend(self, hub: Account, contacts: Any) -> None:
        """See `Heliograph`; ejabberd is told of each pair behind it."""
        await super().befriend(hub, contacts)
        await settled(self)


async def settled(server: Server) -> None:
    """Wait until a server does next to nothing."""
    used = cpu_s(server)
    while True:
        await asyncio.sleep(_LOOK_S)
        before, used = used, cpu_s(server)
        if used - before < _QUIET_CORES * _LOOK_S:
            return


@asynccontextmanager
async def over_ejabberd(folder: Path) -> AsyncIterator[OverEjabberd]:
    """Both, as they ship but that TLS is not required."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ejabberd_in(folder, DOMAIN))
        server.settings = {**server.settings, "xmpp_requires_tls": "false", "log_level": "warning"}
        environment = {**os.environ, **{f"HELIOGRAPH_{name.upper()}": str(at) for name, at in server.settings.items()}}
        keys = json.loads(await new_app(environment))["keys"]
        await server.configure()
        await server.start()
        http_port = server.ports["component_port"] + 1
        node = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "heliograph.cli", "serve"),
            env={**environment, "HELIOGRAPH_HTTP_PORT": str(http_port)},
            stdout=asyncio.subprocess.DEVNULL,
        )
        stack.push_async_callback(node.wait)
        stack.callback(node.terminate)
        await _ready(http_port)
        yield OverEjabberd((node.pid, _pid(server)), http_port, server.ports["xmpp_port"], keys)


def _pid(server: EjabberdServer) -> int:
    assert server.pid is not None
    return server.pid


async def _ready(port: int) -> None:
    async with asyncio.timeout(_START_TIMEOUT_S):
        while True:
            try:
                await (await Http(port, {}).open()).answer("GET", "/readyz")
            except (OSError, RuntimeError):
                await asyncio.sleep(0.1)
            else:
                return


async def endings(server: Server, accounts: list[Account], count: int) -> Row:
    """Sessions that are ended from outside, from the call sent to the socket closed, one after the other."""
    clients = await workloads.login_all(server, accounts[-count:])
    calls = [await _ending(server, *pair) for pair in zip(accounts[-count:], clients, strict=True)]
    await settled(server)
    taken: list[float] = []
    with Meter(server) as meter:
        for end, client in zip(calls, clients, strict=True):
            begin = time.perf_counter()
            calling = asyncio.ensure_future(end())
            await client.closed
            taken.append(time.perf_counter() - begin)
            await calling
    figures = {"p50_ms": round(statistics.median(taken) * 1e3, 2)}
    return {"workload": "session ended -> socket closed", **figures, **meter.per(count)}


async def _ending(server: Server, account: Account, client: Xmpp) -> Callable[[], Awaitable[Any]]:
    """By the user at a node's API, or with ejabberd's own."""
    if isinstance(server, Heliograph):
        http = await Http(server.http_port, server.headers(account)).open()
        return lambda: http.call("DELETE", "/api/v1/sessions/current")
    assert isinstance(server, Ejabberd)
    api = await Http(server.http_port, {}).open()
    whom = {"user": account.username, "host": DOMAIN, "resource": client.jid.partition("/")[2], "reason": "over"}
    return lambda: api.call("POST", "/api/kick_session", whom)


async def rows(server: Server, scale: Scale) -> AsyncIterator[Row]:
    """The workloads of a round on one server."""
    accounts, row = await workloads.register(server, "user", scale.accounts, 16)
    yield row
    yield await workloads.sign_in(server, accounts[: scale.accounts // 2], scale.sign_ins, 16)
    yield await endings(server, accounts, scale.endings)
    for size in scale.fans:
        for row in await workloads.fan_out(server, size, scale.fan_outs, scale.seconds):
            yield row


Found = dict[str, dict[str, dict[str, list[float]]]]
"""Workload, server, figure: the values of all rounds."""
_STARTS: dict[str, Callable[[Path], AbstractAsyncContextManager[Server]]] = {
    "heliograph over ejabberd": over_ejabberd,
    "ejabberd": ejabberd,
}


async def measure(rounds: int, scale: Scale) -> Found:
    """Everything, round by round."""
    found: Found = {}
    for number in range(rounds):
        for name, start in _STARTS.items():
            with tempfile.TemporaryDirectory(prefix="bench-over-") as folder:
                async with asyncio.timeout(_PART_TIMEOUT_S), start(Path(folder)) as server:
                    async for row in rows(server, scale):
                        print(f"{number + 1} {name:<25} {row}", flush=True)
                        figures = found.setdefault(row.pop("workload"), {}).setdefault(name, {})
                        for figure, value in row.items():
                            figures.setdefault(figure, []).append(value)
    return found


def table(found: Found) -> str:
    """CPU time of an operation and the time that it takes, side by side."""
    lines = ["| | CPU, Heliograph over ejabberd | CPU, ejabberd | p50 over | p50 ejabberd |", "|---|---|---|---|---|"]
    for workload, servers in found.items():
        over, alone = (servers[name] for name in _STARTS)
        cpu = [_of(each, "cpu_us_event" if "cpu_us_event" in each else "cpu_us", "µs") for each in (over, alone)]
        lines.append(f"| {workload} | {' | '.join(cpu)} | {_of(over, 'p50_ms', 'ms')} | {_of(alone, 'p50_ms', 'ms')} |")
    return "\n".join(lines) + "\n"


def _of(figures: dict[str, list[float]], name: str, unit: str) -> str:
    if name not in figures:
        return ""
    value = statistics.median(figures[name])
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def write(found: Found) -> None:
    """Put the table into its page."""
    before, start, rest = PAGE.read_text().partition(_START)
    PAGE.write_text(before + start + table(found) + "".join(rest.partition(_END)[1:]))


def main() -> None:
    """Parse the command line, measure, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="at least 3 for figures to be quoted")
    parser.add_argument("--quick", action="store_true", help="a little of everything, and nothing is written")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found = uvloop.run(measure(options.rounds, QUICK if options.quick else Scale()))
    print(table(found))
    if not options.quick:
        write(found)


if __name__ == "__main__":
    main()
