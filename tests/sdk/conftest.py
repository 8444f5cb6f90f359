"""The HTTP face of a node in this process, for the calls that need no connection: the real application over real
stores, with a clock that is turned by hand.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from heliograph import SDK
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.core.ports import Ports
from heliograph.engines.embedded.engine import EmbeddedEngine
from heliograph.node import open_ports
from heliograph.server.http import create_app
from heliograph.server.services import ClientConfig, Services
from heliograph.settings import Settings

API_URL = "https://chat.test"
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000  # below those from which clients call, so that none can call itself

NewSdk = Callable[..., Awaitable[SDK]]


@dataclass
class TurnedClock:
    """A clock that stands until it is turned."""

    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time


class Wire(httpx.AsyncBaseTransport):
    """Brings requests to an application, and keeps what they were. `intercept` can answer in its place."""

    def __init__(self, app: Any) -> None:
        self._app = httpx.ASGITransport(app)
        self.requests: list[httpx.Request] = []
        self.intercept: Callable[[httpx.Request], Awaitable[httpx.Response | None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = None if self.intercept is None else await self.intercept(request)
        return answer or await self._app.handle_async_request(request)

    def paths(self) -> list[str]:
        """Methods and paths of all requests, in order."""
        return [f"{request.method} {request.url.path.removeprefix('/api/v1')}" for request in self.requests]


@pytest.fixture
def free_ports() -> Callable[[int], list[int]]:
    """Finds so many ports where nobody listens, for servers that come back to the same place."""
    return _free_ports


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    for port in range(LOWEST_PORT, HIGHEST_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def ports(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[Ports]:
    """Those of a node to whose XMPP server nobody is connected."""
    async with open_ports(Settings(data_dir=tmp_path)) as opened:
        ports = replace(opened, clock=clock)
        assert isinstance(ports.engine, EmbeddedEngine)
        await ports.engine.start(ports, listeners=[])
        yield ports
        await ports.engine.stop(0)


@pytest.fixture
async def known(ports: Ports) -> NewApp:
    """The app at chat.test and sandbox.chat.test."""
    return await apps.create(ports, "Chat", "chat.test")


@pytest.fixture
def trial_key(known: NewApp) -> str:
    return known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]


@pytest.fixture
def wire(ports: Ports, known: NewApp) -> Wire:
    clients = ClientConfig("chat.test", 5222, 5223, "wss://chat.test/xmpp")
    return Wire(create_app(Services(ports, clients, API_URL, is_ready=lambda: True)))


@pytest.fixture
async def new_sdk(wire: Wire, trial_key: str) -> AsyncIterator[NewSdk]:
    """Makes SDKs that are initialised with the trial key, or with `key`."""
    async with AsyncExitStack() as stack:

        async def make(key: str = trial_key, **options: Any) -> SDK:
            sdk = await stack.enter_async_context(SDK())
            await sdk.initialize(API_URL, key, http_transport=wire, **options)
            return sdk

        yield make
