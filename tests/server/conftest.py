"""A node's HTTP face in this process: the real application over real stores; only the XMPP engine is a recorder."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette

from doubles import RecordingEngine, TurnedClock
from heliograph.bus.in_process import InProcessBus, InProcessRateCounters
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.core.ports import Ports
from heliograph.media.filesystem import FilesystemMedia
from heliograph.media.images import ImageWorkers
from heliograph.server.http import create_app
from heliograph.server.services import ClientConfig, Services
from heliograph.storage import sqlite
from heliograph.system.chance import SystemIds
from heliograph.system.credentials import PreparedCredentials
from heliograph.system.sealing import JweSealer

PUBLIC_URL = "https://chat.test"
ADDRESS = "203.0.113.7"


KEYS = {
    "live": (KeyKind.PUBLISHABLE, Environment.LIVE),
    "live secret": (KeyKind.SECRET, Environment.LIVE),
    "trial": (KeyKind.PUBLISHABLE, Environment.SANDBOX),
    "trial secret": (KeyKind.SECRET, Environment.SANDBOX),
}


@dataclass
class Api:
    """Calls the node as its clients do, and checks of each answer what holds for all.

    A call shows the trial key unless told otherwise; `key` is a name of `KEYS`, or the text of a key, or `None`.
    """

    services: Services
    known: NewApp
    address: str = ADDRESS
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.client_of(create_app(self.services))

    def client_of(self, app: Starlette) -> httpx.AsyncClient:
        # An exception that gets out of the application fails the test: it maps its own.
        transport = httpx.ASGITransport(app, client=(self.address, 40000))
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL)

    def elsewhere(self, address: str) -> Api:
        """The same node, called from another address."""
        return replace(self, address=address)

    def with_services(self, **changes: Any) -> Api:
        """The same node with other services."""
        return replace(self, services=replace(self.services, **changes))

    def key(self, name: str) -> str:
        return self.known.keys[KEYS[name]]

    async def call(
        self, method: str, path: str, *, key: str | None = "trial", token: str | None = None, **rest: Any
    ) -> httpx.Response:
        headers = httpx.Headers(rest.pop("headers", {}))
        if key is not None:
            headers["Heliograph-Key"] = self.key(key) if key in KEYS else key
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        response = await self.http.request(method, f"/api/v1{path}", headers=headers, **rest)
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-type"] == "application/json"
        if method != "HEAD":
            assert response.json()["statusCode"] == response.status_code
        return response

    async def data(self, method: str, path: str, **rest: Any) -> Any:
        """The data of a call that succeeds."""
        response = await self.call(method, path, **rest)
        assert response.status_code == 200, response.text
        assert response.json()["message"] == "Success"
        return response.json().get("data")

    async def error(self, method: str, path: str, **rest: Any) -> dict[str, Any]:
        """The body of a call that fails."""
        response = await self.call(method, path, **rest)
        assert response.status_code >= 400, response.text
        body: dict[str, Any] = response.json()
        assert body.keys() <= {"statusCode", "message", "code", "details"}
        return body

    async def register(self, identifier: str, *, key: str = "trial", token: str | None = None, **body: Any) -> Any:
        """The data of a registration that succeeds."""
        return await self.data("POST", "/register", key=key, token=token, json={"userIdentifier": identifier, **body})

    def assertion(self, identifier: str, **claims: Any) -> str:
        """An identity assertion as the app's backend signs it."""
        now = self.services.ports.clock.now()
        app = self.known.app
        content = {"sub": identifier, "iat": int(now), "jti": f"{identifier}-{now}", "aud": app.domain, **claims}
        return jwt.encode({"alg": "ES256"}, content, ECKey.import_key(json.loads(self.known.assertion_private_key)))


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def engine() -> RecordingEngine:
    return RecordingEngine()


@pytest.fixture
async def ports(tmp_path: Path, clock: TurnedClock, engine: RecordingEngine) -> AsyncIterator[Ports]:
    ids = SystemIds()
    async with sqlite.open(tmp_path / "heliograph.db") as stores, ImageWorkers() as images:
        with PreparedCredentials(ids.random, iterations=2, stock=0) as credentials:
            yield Ports(
                clock=clock,
                ids=ids,
                credentials=credentials,
                **stores.by_name(),
                media=FilesystemMedia(tmp_path / "media", "https://chat.test/media/"),
                images=images,
                remote_images=None,
                rates=InProcessRateCounters(),
                bus=InProcessBus(),
                sealer=JweSealer(),
                engine=engine,
            )


@pytest.fixture
async def known(ports: Ports) -> NewApp:
    """The app at chat.example and sandbox.chat.example."""
    return await apps.create(ports, "Chat", "chat.example")


@pytest.fixture
def api(ports: Ports, known: NewApp) -> Api:
    clients = ClientConfig("chat.example", 5222, 5223, "wss://chat.test/xmpp")
    services = Services(ports, clients, PUBLIC_URL, is_ready=lambda: True)
    return Api(services, known)


@pytest.fixture
async def ada(api: Api) -> Mapping[str, Any]:
    """The data of Ada's registration in the sandbox."""
    data: Mapping[str, Any] = await api.register("ada")
    return data


@pytest.fixture
async def bob(api: Api) -> Mapping[str, Any]:
    """The data of Bob's registration in the sandbox."""
    data: Mapping[str, Any] = await api.register("bob")
    return data
