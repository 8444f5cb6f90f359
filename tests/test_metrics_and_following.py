"""What a node shows to Prometheus, and how it follows what another process does to its store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from heliograph import SDK, ConnectionStatus, ConnectionUpdate
from heliograph.core import apps, sessions
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.core.sessions import EndReason
from heliograph.node import Node, open_ports, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S


def settings(folder: Path) -> Settings:
    return Settings(
        data_dir=folder,
        http_port=0,
        xmpp_port=0,
        xmpps_port=0,
        drain_timeout_s=1,
        metrics_host="127.0.0.1",
        metrics_port=0,
    )


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with run_node(settings(tmp_path)) as running:
        yield running


@pytest.fixture
async def known(node: Node) -> NewApp:
    return await apps.create(node.ports, "Chat", "localhost")


async def sdk_of(node: Node, known: NewApp) -> SDK:
    sdk = SDK()
    key = known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    await sdk.initialize(node.public_url, key, ca_file=node.certificate_file)
    return sdk


async def scrape(node: Node) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    assert node.metrics_url is not None
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        answer = await http.get(node.metrics_url)
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_requests_and_connections_are_counted_by_route_and_never_by_user(node: Node, known: NewApp) -> None:
    async with await sdk_of(node, known) as sdk:
        ada = (await sdk.register("ada")).data
        await sdk.connect(ada.username, ada.password)
        async with httpx.AsyncClient(base_url=node.public_url, timeout=PATIENCE_S) as http:
            await http.get("/api/v1/sessions/ada-was-here")
            await http.request("PROPFIND", "/nothing/ada")
        found = await scrape(node)
    requests = "heliograph_http_requests_total"
    registered = (("method", "POST"), ("route", "/api/v1/register"), ("status", "200"))
    assert found[requests, registered] == 1
    assert found[requests, (("method", "other"), ("route", "none"), ("status", "404"))] == 1
    assert found["heliograph_xmpp_connections", ()] == 1
    assert found["heliograph_http_request_seconds_count", (("route", "/api/v1/register"),)] == 1
    assert found["heliograph_webhook_messages_waiting", ()] == 0
    assert found["heliograph_credentials_prepared", ()] > 0
    assert found["process_open_fds", ()] > 0
    assert "ada" not in str(found)


async def test_the_public_port_shows_no_metrics(node: Node) -> None:
    async with httpx.AsyncClient(base_url=node.public_url, timeout=PATIENCE_S) as http:
        assert (await http.get("/metrics")).status_code == 404


async def test_a_session_that_another_process_ends_is_disconnected(node: Node, known: NewApp, tmp_path: Path) -> None:
    async with await sdk_of(node, known) as sdk:
        ada = (await sdk.register("ada")).data
        await sdk.connect(ada.username, ada.password)
        events = sdk.events()
        async with open_ports(settings(tmp_path)) as other:
            account = await other.accounts.lookup(ada.user_jid)
            assert account is not None
            await sessions.end(other, account, ada.session_id, EndReason.ENDED_BY_ADMIN)
        async with asyncio.timeout(PATIENCE_S):
            async for event in events:
                if isinstance(event, ConnectionUpdate) and event.status is ConnectionStatus.LOGOUT:
                    assert event.reason == "ended_by_admin"
                    return
