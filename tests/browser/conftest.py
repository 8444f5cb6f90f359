"""A real node and a real Chromium. What a test does, it does through the pages, as a person would."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from camera import FakeCamera
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect, sync_playwright

from heliograph.core import apps
from heliograph.core.apps import NewApp
from heliograph.node import Node, run_node
from heliograph.server.services import STATIC_DIR
from heliograph.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FAKE_CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
PATIENCE_MS = 10_000
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}

Given = TypeVar("Given")


@dataclass
class Site:
    """A node that serves the pages, in a thread of its own."""

    node: Node
    app: NewApp
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return self.node.public_url

    def run(self, work: Awaitable[Given]) -> Given:
        """Let the node's loop do something, and wait for it."""

        async def done() -> Given:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(PATIENCE_MS / 1000)


def _serve(settings: Settings, is_up: Future[Site], stop: Future[None]) -> None:
    async def serve() -> None:
        async with AsyncExitStack() as stack:
            try:
                node = await stack.enter_async_context(run_node(settings))
                app = await apps.create(node.ports, "Pages", "pages.test")
            except BaseException as error:
                is_up.set_exception(error)
                raise
            is_up.set_result(Site(node, app, asyncio.get_running_loop()))
            await asyncio.wrap_future(stop)

    asyncio.run(serve())


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not (STATIC_DIR / "pages" / "signin.html").is_file():
        pytest.skip("the pages are not built: `make web` builds them")
    settings = Settings(data_dir=tmp_path_factory.mktemp("node"), http_port=0, xmpp_port=0, xmpps_port=0)
    is_up: Future[Site] = Future()
    stop: Future[None] = Future()
    thread = threading.Thread(target=_serve, args=(settings, is_up, stop), name="node")
    thread.start()
    try:
        yield is_up.result(30)
    finally:
        stop.set_result(None)
        thread.join(30)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: scripts/install-chromium installs it")
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> FakeCamera:
    return FakeCamera(tmp_path_factory.mktemp("camera") / "seen.y4m")


@pytest.fixture(scope="session")
def browser(playwright: Playwright, camera: FakeCamera) -> Iterator[Browser]:
    camera.look_at(Image.new("L", (64, 64), 128))
    sees = f"--use-file-for-fake-video-capture={camera.file}"
    expect.set_options(timeout=PATIENCE_MS)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *FAKE_CAMERA, sees])
    yield browser
    browser.close()


@dataclass
class People:
    """Opens pages, each in a browser profile of its own, and fails where a page breaks a rule of its own policy."""

    site: Site
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, path: str, **options: Any) -> Page:
        """A page in a new profile."""
        context = self.browser.new_context(**{"viewport": WIDE, "locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{path}: {error}"))
        page.on("console", lambda line: self._listen(path, line.type, line.text))
        page.goto(self.site.url + path)
        return page

    def _listen(self, path: str, kind: str, text: str) -> None:
        # A refused request is written to the console by the browser, and is no fault of the page.
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(f"{path}: {text}")

    def screen(self, **options: Any) -> Page:
        """The sign-in page, with a code on it."""
        page = self.open("/", **options)
        expect(page.get_by_text("Waiting for your phone")).to_be_visible()
        return page

    def phone(self, identifier: str, **options: Any) -> Page:
        """A phone that is signed in."""
        page = self.open("/phone", **{"viewport": NARROW, "has_touch": True, **options})
        page.get_by_label("Your identifier").fill(identifier)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Linked sessions")).to_be_visible()
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.contexts.clear()


@pytest.fixture
def people(site: Site, browser: Browser) -> Iterator[People]:
    people = People(site, browser)
    yield people
    people.close()
    assert people.complaints == []


Sight = Callable[[Page], Image.Image]


@pytest.fixture
def sight() -> Sight:
    """What the camera sees of a page: the code, as it is on the screen."""

    def see(page: Page) -> Image.Image:
        return picture_of(page.locator(".code-frame"))

    return see


def picture_of(element: Locator) -> Image.Image:
    import io

    return Image.open(io.BytesIO(element.screenshot())).convert("L")
