"""The signal server on a real socket, under uvicorn as a node runs it, beside the HTTP face in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from asgi_server import served
from heliograph.server.http import create_app
from heliograph.server.signal import SignalLimits, signal_app
from patience import PATIENCE_S

SUBPROTOCOL = "heliograph-signal-1"
ALGORITHMS = ["ECDH-ES", "A256GCM"]


@dataclass
class Browser:
    """A browser's socket, its key, and the last code that it got."""

    socket: ClientConnection
    license_key: str
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    code: dict[str, Any] = field(default_factory=dict)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def hello(self, **changes: Any) -> None:
        jwk = self.key.as_dict(private=False)
        fields = {
            "version": 1,
            "licenseKey": self.license_key,
            "publicKey": {name: jwk[name] for name in ("kty", "crv", "x", "y")},
            "device": {"device": "", "browser": "Firefox", "os": "Linux"},
        }
        await self.send("hello", **{**fields, **changes})

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next message, which has to be of that kind."""
        async with asyncio.timeout(PATIENCE_S):
            message: dict[str, Any] = json.loads(await self.socket.recv())
        assert message["type"] == kind, message
        if kind == "code":
            self.code = message
        return message

    async def open(self) -> Browser:
        """Say hello, prove the key, get the first code."""
        await self.hello()
        await self.send("proof", nonce=self.unseal((await self.hears("challenge"))["jwe"]).decode())
        await self.hears("code")
        return self

    async def resume(self, lost: Browser, **changes: Any) -> Browser:
        """Take the place of another socket."""
        self.key, self.code = lost.key, lost.code
        secret = lost.code["resumeSecret"]
        fields = {"version": 1, "licenseKey": self.license_key, "linkId": self.id, "resumeSecret": secret}
        await self.send("resume", **{**fields, **changes})
        return self

    async def is_closed(self) -> int:
        """The code with which the server closes the socket, without a further message."""
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ConnectionClosed):
                await self.socket.recv()
        assert self.socket.close_code is not None
        return self.socket.close_code

    def unseal(self, sealed: str) -> bytes:
        opened = jwe.decrypt_compact(sealed, self.key, algorithms=ALGORITHMS)
        assert opened.plaintext is not None
        return opened.plaintext

    @property
    def id(self) -> str:
        return str(self.code["linkId"])

    @property
    def qr_code(self) -> str:
        """What a phone sends of the QR text."""
        return str(self.code["qr"].rpartition("#")[2].split(".", 3)[1])

    @property
    def key_hash(self) -> str:
        return str(self.code["qr"].rpartition("#")[2].split(".", 3)[2])


@pytest.fixture
def hello_timeout_s() -> float:
    """How long a socket may take until it has a link."""
    return PATIENCE_S


@pytest.fixture
async def port(api: Any, hello_timeout_s: float) -> AsyncIterator[int]:
    """Where the signal server listens."""
    bounds = SignalLimits(look_every_s=0.02, hello_timeout_s=hello_timeout_s, sockets_per_address_max=5)
    app = create_app(api.with_services(apps={"/signal": signal_app(api.services, bounds)}).services)
    async with served(app, ws_max_size=65_536) as port:
        yield port


@pytest.fixture
async def new_browser(api: Any, port: int) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Opens sockets; `key` is a name of the test's keys, further options are those of `websockets`."""
    async with AsyncExitStack() as stack:

        async def make(key: str = "trial", **options: Any) -> Browser:
            options = {"subprotocols": [SUBPROTOCOL], **options}
            opened = await stack.enter_async_context(connect(f"ws://127.0.0.1:{port}/signal", proxy=None, **options))
            return Browser(opened, api.key(key))

        yield make


@pytest.fixture
async def browser(new_browser: Callable[..., Awaitable[Browser]]) -> Browser:
    """A browser that shows its first code."""
    return await (await new_browser()).open()


@dataclass
class Phone:
    """A signed-in phone."""

    api: Any
    user: Any

    async def scan(self, browser: Browser, **options: Any) -> Any:
        return await self.post("/qr-links/scan", json={"code": browser.qr_code}, **options)

    async def approve(self, browser: Browser, **body: Any) -> Any:
        return await self.post(f"/qr-links/{browser.id}/approve", json={"keyHash": browser.key_hash, **body})

    async def deny(self, browser: Browser) -> Any:
        return await self.post(f"/qr-links/{browser.id}/deny")

    async def post(self, path: str, **options: Any) -> Any:
        """The data of a success, or the code of an error."""
        answer = await self.api.call("POST", path, token=self.user["token"], **options)
        body = answer.json()
        return body.get("data") if answer.status_code == 200 else (answer.status_code, body["code"])


@pytest.fixture
def phone(api: Any, ada: Any) -> Phone:
    """Ada's phone."""
    return Phone(api, ada)


@pytest.fixture
def other_phone(api: Any, bob: Any) -> Phone:
    """Bob's phone."""
    return Phone(api, bob)
