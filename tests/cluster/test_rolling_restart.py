"""Every node is restarted in turn behind a load balancer, and no request fails. For `make test-cluster`: these take
long, as nodes are processes of their own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

import balanced
import needs
from balanced import ServedNode
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp, Policy, RegistrationPolicy
from heliograph.node import open_ports
from heliograph.settings import Settings
from patience import PATIENCE_S

pytestmark = pytest.mark.cluster

CLIENTS = 4


@dataclass
class Cluster:
    """The nodes, the load balancer's address and the app."""

    nodes: list[ServedNode]
    url: str
    app: NewApp

    @property
    def key(self) -> str:
        return self.app.keys[KeyKind.SECRET, Environment.SANDBOX]


@dataclass
class Load:
    """Clients that register, read and write without a pause, and what they saw."""

    cluster: Cluster
    seen: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    is_over: bool = False

    async def client(self, name: str) -> None:
        """One of them, over connections that it keeps."""
        headers = {"Heliograph-Key": self.cluster.key}
        async with httpx.AsyncClient(base_url=self.cluster.url, headers=headers, timeout=PATIENCE_S) as http:
            while not self.is_over:
                made = await self._ask(http, "POST", "/register", json={"userIdentifier": name})
                if made is None:
                    continue
                own = {"Authorization": f"Bearer {made.json()['data']['token']}"}
                await self._ask(http, "GET", "/profile", headers=own)
                await self._ask(http, "PATCH", "/profile", headers=own, json={"status": f"seen {len(self.seen)}"})

    async def _ask(self, http: httpx.AsyncClient, method: str, path: str, **options: object) -> httpx.Response | None:
        try:
            answer = await http.request(method, f"/api/v1{path}", **options)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            self.failed.append(f"{method} {path}: {type(error).__name__}")
            return None
        if answer.status_code != 200:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        self.seen[f"{method} {path}"] += 1
        return answer


@pytest.fixture
async def cluster(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Cluster]:
    needs.haproxy()
    port = balanced.free_port()
    shared = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_FILE": str(tmp_path / "secret"),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TRUSTED_PROXIES": "127.0.0.1/32",
    }
    settings = Settings(data_dir=tmp_path / "command", database_url=database_url)
    policy = Policy(registration=RegistrationPolicy.OPEN, max_sessions=3, sandbox_max_users=10_000)
    async with open_ports(settings) as ports:
        app = await apps.create(ports, "Chat", "chat.localhost", "sandbox.chat.localhost", policy)
    nodes = [ServedNode(tmp_path / f"node-{number}", shared) for number in range(2)]
    async with AsyncExitStack() as stack:
        for node in nodes:
            await node.start()
            stack.push_async_callback(node.kill)
        url = await stack.enter_async_context(balanced.balanced(nodes, tmp_path, port))
        yield Cluster(nodes, url, app)


async def test_a_rolling_restart_fails_no_request(cluster: Cluster) -> None:
    load = Load(cluster)
    async with asyncio.TaskGroup() as tasks:
        for number in range(CLIENTS):
            tasks.create_task(load.client(f"user-{number}"))
        for node in cluster.nodes:
            before = sum(load.seen.values())
            assert await node.stop() == 0
            await node.start()
            await balanced.until_ready(node.url)
            await asyncio.sleep(3 * balanced.CHECK_MS / 1000)  # haproxy has to find it before the next one goes
            assert sum(load.seen.values()) > before
        load.is_over = True
    assert load.failed == []
    assert min(load.seen.values()) > 10


async def test_a_stopping_node_says_so_before_it_stops_taking_requests(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    stopping = asyncio.create_task(node.stop())
    await balanced.until_ready(node.url, is_ready=False)
    async with httpx.AsyncClient(base_url=node.url, timeout=PATIENCE_S) as http:
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "unreachable")
        assert (await http.get("/livez")).status_code == 200
        body = {"userIdentifier": "late"}
        answer = await http.post("/api/v1/register", json=body, headers={"Heliograph-Key": cluster.key})
        assert answer.status_code == 200
    assert await stopping == 0


async def test_a_killed_node_costs_no_more_than_what_it_was_doing(cluster: Cluster) -> None:
    load = Load(cluster)
    async with asyncio.TaskGroup() as tasks:
        for number in range(CLIENTS):
            tasks.create_task(load.client(f"user-{number}"))
        await asyncio.sleep(0.5)
        await cluster.nodes[0].kill()
        await asyncio.sleep(1)
        settled = len(load.failed)
        before = sum(load.seen.values())
        await asyncio.sleep(1)
        load.is_over = True
    assert len(load.failed) == settled
    assert sum(load.seen.values()) > before
    assert settled <= 4 * CLIENTS
