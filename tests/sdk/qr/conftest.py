"""A running node, and SDKs that show codes and approve them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from heliograph import SDK, QrCode, Response
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from heliograph.wire import DeviceBody
from heliograph.wire.qr import Verify
from patience import PATIENCE_S


@dataclass
class Showing:
    """A sign-in that is under way: the codes that were drawn, and a person who types the check code."""

    codes: asyncio.Queue[QrCode] = field(default_factory=asyncio.Queue)
    typed: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    asked: list[Verify] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    called_back: list[Any] = field(default_factory=list)
    task: asyncio.Task[Response[Any]] = field(init=False)

    async def ask_code(self, request: Verify) -> str | None:
        self.asked.append(request)
        return await self.typed.get()

    async def code(self) -> QrCode:
        async with asyncio.timeout(PATIENCE_S):
            return await self.codes.get()

    async def result(self) -> Response[Any]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.task


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    settings = Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with run_node(settings) as running:
        yield running


@pytest.fixture
async def known(node: Node) -> NewApp:
    return await apps.create(node.ports, "Chat", "localhost", "sandbox.localhost")


@pytest.fixture
async def new_sdk(node: Node, known: NewApp) -> AsyncIterator[Callable[..., Awaitable[SDK]]]:
    """Makes SDKs for the sandbox."""
    async with AsyncExitStack() as stack:

        async def make(url: str | None = None, **options: Any) -> SDK:
            sdk = await stack.enter_async_context(SDK())
            key = known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
            await sdk.initialize(url or node.public_url, key, ca_file=node.certificate_file, **options)
            return sdk

        yield make


@pytest.fixture
async def phone(new_sdk: Callable[..., Awaitable[SDK]]) -> SDK:
    """Ada's phone, connected."""
    sdk = await new_sdk(device=DeviceBody(device="Pixel", os="Android"))
    ada = (await sdk.register("ada")).data
    await sdk.connect(ada.username, ada.password)
    return sdk


@pytest.fixture
async def show(new_sdk: Callable[..., Awaitable[SDK]]) -> AsyncIterator[Callable[..., Awaitable[Showing]]]:
    """Begins a sign-in on a new device."""
    begun: list[asyncio.Task[Any]] = []

    async def make(sdk: SDK | None = None, *, has_person: bool = True, **options: Any) -> Showing:
        browser = sdk or await new_sdk(device=DeviceBody(device="Laptop", browser="Firefox", os="Linux"))
        showing = Showing()
        showing.task = asyncio.create_task(
            browser.generate_qr_code(
                showing.codes.put_nowait,
                callback=showing.called_back.append,
                ask_code=showing.ask_code if has_person else None,
                on_state=showing.states.append,
                **options,
            )
        )
        begun.append(showing.task)
        return showing

    yield make
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)
