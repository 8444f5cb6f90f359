"""QR sign-in with the phone at one node and the browser at another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from heliograph import SDK
from heliograph.core.apps import Environment, KeyKind
from heliograph.wire import DeviceBody
from places import Place


@asynccontextmanager
async def sdk_at(place: Place, name: str) -> AsyncIterator[SDK]:
    """An SDK that speaks to one node."""
    async with SDK() as sdk:
        key = place.key(Environment.SANDBOX, KeyKind.PUBLISHABLE)
        device = DeviceBody(device=name)
        await sdk.initialize(str(place.http.base_url), key, ca_file=place.node.certificate_file, device=device)
        yield sdk


async def linked(phone_at: Place, browser_at: Place, user: str) -> Any:
    """Register a user at one node and link a browser at the other; what the browser gets."""
    codes: asyncio.Queue[Any] = asyncio.Queue()
    typed: asyncio.Queue[str | None] = asyncio.Queue()
    async with sdk_at(phone_at, "Pixel") as phone, sdk_at(browser_at, "Laptop") as browser:
        await phone.register(user)
        signal = f"ws://127.0.0.1:{browser_at.node.http_port}/signal"
        showing = browser.generate_qr_code(codes.put_nowait, None, signal, ask_code=lambda _: typed.get())
        signing_in = asyncio.create_task(showing)
        shown = await codes.get()
        approved = await phone.approve_qr_code(shown.text, lambda _consent: True)
        await typed.put(approved.data.check_code)
        return (await signing_in).data
