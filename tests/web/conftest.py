"""A running node and a real browser, with pages that hold the browser SDK and nothing else."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

import needs
from chromium import QUIET
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from patience import PATIENCE_MS

BARE = "/livez"
"""A page of the node without anything on it. Its own policy would run no script, so the browser is told to pass over
it. A page that did not come from the node itself would not be let to it (Local Network Access).
"""

LISTENERS = (
    "connectionListener",
    "userProfileListener",
    "friendsListListener",
    "presenceListener",
    "blockUserListener",
    "messageListener",
    "userDeletedListener",
    "adminBlockListener",
    "tokenListener",
    "sessionListener",
    "sessionEndedListener",
)

HARNESS = """
async ([names, options]) => {
  const { default: SDK, HeliographError } = await import("/sdk/heliograph.js");
  window.seen = [];
  window.SDK = SDK;
  window.attempt = async (call) => {
    try { return await call(); }
    catch (error) {
      if (!(error instanceof HeliographError)) throw error;
      return { error: error.code, ...error.toJSON() };
    }
  };
  const note = (name) => (event) => window.seen.push({ name, event });
  const callbackListeners = Object.fromEntries(names.map((name) => [name, note(name)]));
  return await SDK.initializeSDK({ callbackListeners, ...options });
}
"""


@dataclass(slots=True)
class SdkPage:
    """A page of a browser with an initialised SDK."""

    page: Page
    app: NewApp

    async def run(self, code: str, *arguments: Any) -> Any:
        """What an expression in the page comes to; `args` in it are the arguments, `SDK` is the SDK."""
        return await self.page.evaluate(f"async (args) => ({code})", list(arguments))

    async def fails(self, code: str, *arguments: Any) -> dict[str, Any]:
        """The error of a call that has to fail."""
        found: dict[str, Any] = await self.run(f"await attempt(async () => {code})", *arguments)
        assert "error" in found, found
        return found

    async def hears(self, listener: str, condition: str = "true") -> dict[str, Any]:
        """Wait for an event of which a condition on `event` holds, or find it among those that came."""
        is_it = f"({{ name, event }}) => name === {json.dumps(listener)} && ({condition})"
        handle = await self.page.wait_for_function(f"window.seen.find({is_it})?.event", timeout=PATIENCE_MS)
        event: dict[str, Any] = await handle.json_value()
        return event

    async def heard(self, listener: str) -> list[dict[str, Any]]:
        """All events of a listener so far."""
        return [each["event"] for each in await self.run("window.seen") if each["name"] == listener]

    async def canvas(self) -> Image.Image:
        """What is on the canvas of a QR code."""
        url = await self.run("document.getElementById('canvas').toDataURL()")
        return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")

    async def code(self, change: Callable[[Image.Image], Image.Image] = lambda image: image) -> str | None:
        """What an independent reader reads there, after a change to the picture."""
        found = zxingcpp.read_barcodes(change(await self.canvas()), formats=zxingcpp.BarcodeFormat.QRCode)
        return found[0].text if found else None

    async def sign_in(self, user: str) -> dict[str, Any]:
        """Register a user and connect; the data of the registration."""
        account: dict[str, Any] = (await self.run("await SDK.register(args[0])", user))["data"]
        await self.run("await SDK.connect(...args)", account["username"], account["password"])
        return account


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node on free ports."""
    async with run_node(Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0)) as running:
        yield running


@pytest.fixture
async def web_app(node: Node) -> NewApp:
    """An app on that node."""
    return await apps.create(node.ports, "Web", "web.localhost")


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """The machine's Chromium, without a window."""
    chromium = needs.chromium()
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield running
        await running.close()


@pytest.fixture
async def profile(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One person's browser: its pages share what pages of a browser share."""
    context = await browser.new_context(bypass_csp=True)
    yield context
    await context.close()


NewPage = Callable[..., Awaitable[SdkPage]]


@pytest.fixture
async def new_page(node: Node, web_app: NewApp, browser: Browser) -> AsyncIterator[NewPage]:
    """Opens a page, in a browser of its own or in `profile`, and initialises its SDK with the trial key."""
    async with AsyncExitStack() as stack:

        async def own_profile() -> BrowserContext:
            return await stack.enter_async_context(await browser.new_context(bypass_csp=True))

        async def open_page(profile: BrowserContext | None = None, **options: Any) -> SdkPage:
            page = await (profile or await own_profile()).new_page()
            await page.goto(node.public_url + BARE)
            key = web_app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
            given = {"apiBaseUrl": node.public_url, "licenseKey": key, "isTrialLicenseKey": True, **options}
            await page.evaluate(HARNESS, [list(LISTENERS), given])
            return SdkPage(page, web_app)

        yield open_page
