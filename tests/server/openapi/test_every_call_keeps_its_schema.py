"""Calls made up from the description itself (schemathesis), against a node over real sockets: whatever is sent, there
is no 5xx, and every answer is as the description says.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from heliograph.core import accounts, apps
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Environment, KeyKind, Policy
from heliograph.node import run_node
from heliograph.server.http import ENDPOINTS
from heliograph.server.openapi.document import document
from heliograph.settings import Settings
from patience import PATIENCE_S

EXAMPLES = 4
"""For each call, beside those that its description gives: the whole test takes some 30 seconds on an idle machine."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DESCRIPTION = schemathesis.openapi.from_dict(document(ENDPOINTS))


class RunningNode:
    """A node on a thread of its own, with one app; its users are made as they are needed."""

    def __init__(self, folder: Path) -> None:
        self._settings = Settings(
            data_dir=folder, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1, log_level="error"
        )
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    def __enter__(self) -> RunningNode:
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_details: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        async with run_node(self._settings) as node:
            self.node, self.url = node, node.public_url
            policy = Policy(sandbox_max_users=10_000)
            self.app = await apps.create(node.ports, "Chat", "localhost", policy=policy)
            self._ready.set()
            await self._stop.wait()

    def headers(self, security: list[dict[str, Any]]) -> dict[str, str]:
        """What a call has to show."""
        kind = KeyKind.SECRET if "secretKey" in security[0] else KeyKind.PUBLISHABLE
        shown = {"Heliograph-Key": self.app.keys[kind, Environment.SANDBOX]}
        if "token" in security[0]:
            shown["Authorization"] = (
                f"Bearer {asyncio.run_coroutine_threadsafe(self._token(), self._loop).result(PATIENCE_S)}"
            )
        return shown

    async def _token(self) -> str:
        caller = Caller(self.app.app, Environment.SANDBOX, is_backend=True)
        return (await accounts.register(self.node.ports, caller, RegisterRequest("ada"))).tokens.access_token


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with RunningNode(tmp_path_factory.mktemp("node")) as node:
        yield node


@DESCRIPTION.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    derandomize=True,
    database=None,
)
def test_a_call_that_shows_what_it_has_to(case: Any, running: RunningNode) -> None:
    raw = case.operation.definition.raw
    case.call_and_validate(base_url=running.url, headers=running.headers(raw["security"]), checks=CHECKS)


@pytest.mark.parametrize(("method", "path"), [(each.method, each.path) for each in ENDPOINTS])
def test_a_call_that_shows_nothing_is_refused(method: str, path: str, running: RunningNode) -> None:
    answer = httpx.request(method, f"{running.url}/api/v1{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, "license_invalid")
