#!/usr/bin/env python3
"""A whole installation on this machine: PostgreSQL, Redis, two ejabberd nodes in a cluster, two Heliograph nodes behind
haproxy. Users spread over the nodes play the story; then each part is killed in turn under load, and a table shows what
clients saw. All of it is in a temporary folder and on loopback, and ends with the program.

    make cluster
    make cluster ARGS=--record # writes the table into docs/how-to/deploy.md too

Exit status 0 means that the story held and that clients came back after every loss.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stage"))

import balanced
from balanced import ServedNode
from ejabberd_server import PROGRAM, EjabberdServer, ejabberd_in
from heliograph import SDK, ConnectionStatus, HeliographError, MessageReceived, ProfileUpdate, ReconnectPolicy
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp, Policy, RegistrationPolicy
from heliograph.node import open_ports
from heliograph.settings import Settings
from heliograph.wire import DeviceBody
from places import LIVE, SANDBOX
from postgres_server import RestartablePostgres
from redis_server import RedisServer

PATIENCE_S = 30.0
PAUSE_S = 0.1
"""Between one user's pairs of calls, so that the rate of calls that an account may make is not met."""
HEARD_S = 10.0
"""How long a device waits to be told of something."""
USERS = 6
LOST_S = 3.0
"""How long a part is away."""
WATCHED_S = 3.0
"""How long clients are watched after all is well again."""
COLUMNS = (f"Killed for {LOST_S:.0f} s", "Good calls", "Failed calls", "Longest gap", "XMPP well after")
PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "deploy.md"
HASTY = ReconnectPolicy(backoff_base_s=0.2, backoff_max_s=1.0)


@dataclass
class Cluster:
    """All parts, and the app.

    Attributes:
        url: the load balancer's address.
        authority: the certificate authority of both ejabberd nodes.
    """

    postgres: RestartablePostgres
    redis: RedisServer
    ejabberds: list[EjabberdServer]
    nodes: list[ServedNode]
    url: str
    app: NewApp
    authority: Path

    @property
    def key(self) -> str:
        """What users' devices call with."""
        return self.app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]


@dataclass
class Seen:
    """What clients saw while a part was away and after it.

    Attributes:
        longest_s: the longest time without an answer that was good.
        well_s: how long after the loss two users reached each other by XMPP; `None`: they did not.
    """

    good: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0
    well_s: float | None = None
    _last: float = field(default_factory=time.perf_counter)

    @property
    def is_well(self) -> bool:
        """Whether clients came back, and no call met a bug."""
        return self.well_s is not None and not self.failed["with status 500"]

    def row(self) -> tuple[str, str, str, str]:
        """What the table shows, as in `COLUMNS`."""
        failed = ", ".join(f"{count} {problem}" for problem, count in sorted(self.failed.items()) if count) or "none"
        after = "not" if self.well_s is None else f"{self.well_s:.1f} s"
        return str(self.good), failed, f"{self.longest_s:.1f} s", after

    def answered(self, problem: str | None) -> None:
        """A call has ended."""
        now = time.perf_counter()
        if problem is not None:
            self.failed[problem] += 1
            return
        self.good += 1
        self.longest_s = max(self.longest_s, now - self._last)
        self._last = now


@asynccontextmanager
async def cluster_in(folder: Path) -> AsyncIterator[Cluster]:
    """Start everything in the order in which it is needed."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(RestartablePostgres.running())
        redis = RedisServer()
        redis.start()
        stack.callback(redis.kill)
        port = balanced.free_port()
        shared = {
            "database_url": postgres.database_url,
            "redis_url": redis.url,
            "secret_file": str(folder / "secret"),
            "public_url": f"http://127.0.0.1:{port}",
            "trusted_proxies": "127.0.0.1/32",
            "domain": "localhost",
            "ejabberd_websocket_url": f"ws://127.0.0.1:{port}/ws",  # haproxy would pass it on; nobody here needs it
        }
        app = await _app(folder, postgres.database_url)
        ejabberds = await _ejabberds(stack, folder, shared)
        nodes = [_node(folder, number, ejabberds, shared) for number in range(len(ejabberds))]
        for node in nodes:
            await node.start()
            stack.push_async_callback(node.kill)
        url = await stack.enter_async_context(balanced.balanced(nodes, folder, port))
        yield Cluster(postgres, redis, ejabberds, nodes, url, app, folder / "ejabberd-0" / "authority.pem")


async def _app(folder: Path, database_url: str) -> NewApp:
    policy = Policy(registration=RegistrationPolicy.OPEN, max_sessions=3, sandbox_max_users=1000)
    settings = Settings(data_dir=folder / "command", database_url=database_url)  # type: ignore[arg-type]
    async with open_ports(settings) as ports:
        return await apps.create(ports, "cluster", LIVE, SANDBOX, policy)


def _component(number: int) -> str:
    return f"heliograph-{number}.localhost"


async def _ejabberds(stack: AsyncExitStack, folder: Path, shared: dict[str, str]) -> list[EjabberdServer]:
    """Two ejabberd nodes; the second joins the first."""
    servers = []
    for number in range(2):
        place = folder / f"ejabberd-{number}"
        place.mkdir()
        server = await stack.enter_async_context(ejabberd_in(place, LIVE))
        server.settings = {**server.settings, **shared}
        if number:
            server.share_certificate(servers[0])
        await server.configure(*(word for each in range(2) for word in ("--component", _component(each))))
        await server.start()
        servers.append(server)
    await servers[1].join(servers[0])
    return servers


def _node(folder: Path, number: int, ejabberds: list[EjabberdServer], shared: dict[str, str]) -> ServedNode:
    """A node beside an ejabberd node, that works with the other one too."""
    others = [each for each in ejabberds if each is not ejabberds[number]]
    mine = {name: str(value) for name, value in ejabberds[number].settings.items()} | shared
    mine["ejabberd_component_name"] = _component(number)
    mine["ejabberd_cluster_api_urls"] = ",".join(each.settings["ejabberd_api_url"] for each in others)
    mine["ejabberd_cluster_components"] = ",".join(each.component_listener for each in others)
    for name in ("data_dir", "http_port"):
        del mine[name]
    return ServedNode(folder / f"node-{number}", {name.upper(): value for name, value in mine.items()})


# ------------------------------------------------------------------------------------------------------------ the story


Say = Callable[[str, bool], None]
"""Tells whether a promise held."""


async def play(cluster: Cluster, say: Say) -> None:
    """Ada and Bob, whose calls and connections go to both nodes, do what the product promises."""
    async with AsyncExitStack() as stack:
        ada = await _device(stack, cluster, cluster.nodes[0].url, "ada", "phone")
        bob = await _device(stack, cluster, cluster.nodes[1].url, "bob", "phone")
        friend = (await ada.add_contact("bob")).data
        say("ada, at node 0, adds bob, who is at node 1", friend.state == "friend")
        heard = bob.events()
        await ada.send_message(f"bob@{SANDBOX}", "over the ridge")
        say("her message reaches him on the other ejabberd node", await _hears(heard, MessageReceived))
        await ada.update_profile(nick_name="Ada", status="Signalling")
        say("her profile is on his screen, on the other ejabberd node", await _hears(heard, ProfileUpdate))
        say("a browser at node 1 is signed in by her phone at node 0", await _is_linked(stack, cluster, ada))
        made = [
            await _device(stack, cluster, node.url, "carol", f"device-{n}", is_connected=False)
            for n, node in enumerate(cluster.nodes * 3)
        ]
        sessions = (await made[-1].get_sessions()).data.sessions
        say("six registrations over both nodes leave three sessions", len(sessions) == 3)


async def _device(
    stack: AsyncExitStack, cluster: Cluster, url: str, user: str, name: str, *, is_connected: bool = True
) -> SDK:
    sdk = await stack.enter_async_context(SDK())
    options: dict[str, Any] = {"device": DeviceBody(device=name), "reconnect_policy": HASTY}
    await sdk.initialize(url, cluster.key, ca_file=cluster.authority, **options)
    account = (await sdk.register(user)).data
    if is_connected:
        await sdk.connect(account.username, account.password)
    return sdk


async def _hears(events: Any, kind: type[Any]) -> bool:
    try:
        async with asyncio.timeout(HEARD_S):
            async for event in events:
                if isinstance(event, kind):
                    return True
    except TimeoutError:
        pass
    return False


async def _is_linked(stack: AsyncExitStack, cluster: Cluster, phone: SDK) -> bool:
    codes: asyncio.Queue[Any] = asyncio.Queue()
    typed: asyncio.Queue[str | None] = asyncio.Queue()
    browser = await stack.enter_async_context(SDK())
    await browser.initialize(cluster.nodes[1].url, cluster.key, ca_file=cluster.authority)
    signal = f"{cluster.nodes[1].url.replace('http', 'ws', 1)}/signal"
    showing = browser.generate_qr_code(codes.put_nowait, None, signal, ask_code=lambda _: typed.get())
    signing_in = asyncio.create_task(showing)
    async with asyncio.timeout(PATIENCE_S):
        approved = await phone.approve_qr_code((await codes.get()).text, lambda _consent: True)
        await typed.put(approved.data.check_code)
        return (await signing_in).data.user_jid == f"ada@{SANDBOX}"


# ---------------------------------------------------------------------------------------------------------- the losses


Step = Callable[[], Awaitable[None]]


async def lose(cluster: Cluster, watching: list[SDK], kill: Step, start: Step) -> Seen:
    """Kill a part under load, start it again after some seconds, and watch until clients are well."""
    seen = Seen()
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for number in range(USERS):
            tasks.create_task(_load(cluster, f"user-{number}", seen, is_over))
        await asyncio.sleep(1)
        killed = time.perf_counter()
        await kill()
        await asyncio.sleep(LOST_S)
        await start()
        seen.well_s = time.perf_counter() - killed if await reach_each_other(watching) else None
        await asyncio.sleep(WATCHED_S)
        is_over.set()
    return seen


async def _load(cluster: Cluster, user: str, seen: Seen, is_over: asyncio.Event) -> None:
    """Register, then read and write again and again, by way of the load balancer."""
    headers = {"Heliograph-Key": cluster.key}
    async with httpx.AsyncClient(base_url=f"{cluster.url}/api/v1", headers=headers, timeout=5) as http:
        own: dict[str, str] = {}
        while not is_over.is_set():
            if not own:
                data = await _ask(http, seen, "POST", "/register", json={"userIdentifier": user})
                own = {"Authorization": f"Bearer {data['token']}"} if data else {}
                if not own:
                    continue  # counted already; without a token all would be refused
            await _ask(http, seen, "GET", "/profile", headers=own)
            await _ask(http, seen, "PATCH", "/profile", headers=own, json={"status": f"after {seen.good}"})
            await asyncio.sleep(PAUSE_S)


async def _ask(http: httpx.AsyncClient, seen: Seen, method: str, path: str, **options: Any) -> dict[str, Any]:
    try:
        answer = await http.request(method, path, **options)
    except httpx.TransportError as error:
        seen.answered("timeouts" if isinstance(error, httpx.TimeoutException) else "lost connections")
        await asyncio.sleep(0.1)
        return {}
    if answer.status_code != 200:
        seen.answered(f"with status {answer.status_code}")
        await asyncio.sleep(0.1)
        return {}
    seen.answered(None)
    return dict(answer.json().get("data") or {})


async def reach_each_other(watching: list[SDK]) -> bool:
    """Wait until two users on different ejabberd nodes are connected and reach each other; whether they did."""
    one, other = watching
    heard = other.events()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await _reaches(one, heard):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False
    return True


async def _reaches(sender: SDK, heard: Any) -> bool:
    """Whether a message arrives within a second."""
    if sender.connection_status is not ConnectionStatus.CONNECTED:
        return False
    try:
        await sender.send_message(f"viktor@{SANDBOX}", "are you there")
        async with asyncio.timeout(1):
            async for event in heard:
                if isinstance(event, MessageReceived):
                    return True
    except (TimeoutError, HeliographError):
        pass
    return False


def _losses(cluster: Cluster) -> dict[str, tuple[Step, Step]]:
    async def kill_redis() -> None:
        cluster.redis.kill()

    async def start_redis() -> None:
        await asyncio.to_thread(cluster.redis.start)

    async def kill_postgres() -> None:
        await asyncio.to_thread(cluster.postgres.kill)

    async def start_postgres() -> None:
        await asyncio.to_thread(cluster.postgres.start)

    first, second = cluster.nodes
    return {
        "Redis": (kill_redis, start_redis),
        "Heliograph node 0": (first.kill, first.start),
        "Heliograph node 1": (second.kill, second.start),
        "ejabberd node 0": (cluster.ejabberds[0].kill, cluster.ejabberds[0].start),
        "ejabberd node 1": (cluster.ejabberds[1].kill, cluster.ejabberds[1].start),
        "PostgreSQL": (kill_postgres, start_postgres),
    }


async def main(*, is_recorded: bool) -> bool:
    """All of it; whether everything held.

    Args:
        is_recorded: whether the table goes into `PAGE`, if it held.
    """
    console = Console(highlight=False)
    held = True

    def say(text: str, is_held: bool) -> None:
        nonlocal held
        held = held and is_held
        console.print(f"  {'ok    ' if is_held else 'BROKEN'} {text}", markup=False)

    with tempfile.TemporaryDirectory(prefix="heliograph-cluster-") as name:
        console.print("Starting PostgreSQL, Redis, two ejabberd nodes, two Heliograph nodes and haproxy")
        async with cluster_in(Path(name)) as cluster, AsyncExitStack() as stack:
            await play(cluster, say)
            watching = [
                await _device(stack, cluster, node.url, user, "phone")
                for node, user in zip(cluster.nodes, ("ursula", "viktor"), strict=True)
            ]
            rows: list[tuple[str, ...]] = []
            for part, (kill, start) in _losses(cluster).items():
                seen = await lose(cluster, watching, kill, start)
                rows.append((part, *seen.row()))
                held = held and seen.is_well
                if not seen.is_well:
                    for node in cluster.nodes:
                        console.print((node.folder / "log").read_text(), markup=False)
            console.print(_table(rows))
            if is_recorded and held:
                record(rows)
    return held


def _table(rows: Sequence[Sequence[str]]) -> Table:
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*row)
    return table


def record(rows: Sequence[Sequence[str]]) -> None:
    """Put the table into the page that tells operators of it."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    before, start, rest = PAGE.read_text().partition("<!-- made by `make cluster ARGS=--record` -->\n\n")
    _, end, after = rest.partition("\n<!-- end -->\n")
    PAGE.write_text(before + start + table + end + after)


if __name__ == "__main__":
    if PROGRAM is None or balanced.program() is None:
        sys.exit("This takes ejabberd and haproxy: scripts/install-ejabberd, scripts/install-databases")
    os.environ.setdefault("COLUMNS", "120")
    sys.exit(0 if asyncio.run(main(is_recorded="--record" in sys.argv[1:])) else 1)
