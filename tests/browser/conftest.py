"""A real node and a real Chromium. What a test does, it does through the pages, as a person would."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect, sync_playwright

import needs
from chromium import QUIET
from gallery import AXE, NARROW, SCREENS, WIDE, Gallery
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.node import Node, run_node
from heliograph.server.services import STATIC_DIR
from heliograph.settings import Settings
from patience import PATIENCE_MS, PATIENCE_S

FAKE_CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
USUAL = {"viewport": WIDE, "locale": "en-GB", "reduced_motion": "reduce"}
CAMERA_PX = (640, 480)
CAMERA_FRAMES_PER_S = 15
TYPED_CODE = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}")


@dataclass
class FakeCamera:
    """A file that Chromium plays as if a camera had seen it: YUV4MPEG2, one frame that repeats for ever. It is opened
    whenever a page starts its camera.
    """

    file: Path

    def look_away(self) -> None:
        """See nothing but grey."""
        self.look_at(Image.new("L", (64, 64), 128))

    def look_at(self, picture: Image.Image) -> None:
        """Put a picture in the middle of the frame."""
        scale = min(CAMERA_PX[0] / picture.width, CAMERA_PX[1] / picture.height) * 0.9
        seen = picture.convert("L").resize((round(picture.width * scale), round(picture.height * scale)))
        frame = Image.new("L", CAMERA_PX, 200)
        frame.paste(seen, ((CAMERA_PX[0] - seen.width) // 2, (CAMERA_PX[1] - seen.height) // 2))
        head = f"YUV4MPEG2 W{CAMERA_PX[0]} H{CAMERA_PX[1]} F{CAMERA_FRAMES_PER_S}:1 Ip A1:1 C420jpeg\nFRAME\n".encode()
        grey = bytes([128]) * (CAMERA_PX[0] * CAMERA_PX[1] // 2)  # both colour planes, a quarter of the pixels each
        self.file.write_bytes(head + frame.tobytes() + grey)


@dataclass
class Site:
    """A node that serves the pages, in a thread of its own."""

    node: Node
    app: NewApp

    @property
    def url(self) -> str:
        return self.node.public_url

    @property
    def key(self) -> str:
        return self.app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]

    @property
    def secret_key(self) -> str:
        return self.app.keys[KeyKind.SECRET, Environment.SANDBOX]


def _serve(settings: Settings, is_up: Future[Site], stop: Future[None]) -> None:
    async def serve() -> None:
        async with AsyncExitStack() as stack:
            try:
                node = await stack.enter_async_context(run_node(settings))
                app = await apps.create(node.ports, "Pages", "pages.test")
            except BaseException as error:
                is_up.set_exception(error)
                raise
            is_up.set_result(Site(node, app))
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
        yield is_up.result(PATIENCE_S)
    finally:
        stop.set_result(None)
        thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """While it is there its event loop counts as the running one of the thread, and no asynchronous test can have
    another: so not for longer than a module.
    """
    needs.chromium()
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> FakeCamera:
    return FakeCamera(tmp_path_factory.mktemp("camera") / "seen.y4m")


@pytest.fixture(scope="module")
def browser(playwright: Playwright, camera: FakeCamera) -> Iterator[Browser]:
    camera.look_away()
    sees = f"--use-file-for-fake-video-capture={camera.file}"
    expect.set_options(timeout=PATIENCE_MS)
    browser = playwright.chromium.launch(executable_path=needs.chromium(), args=[*QUIET, *FAKE_CAMERA, sees])
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
        context = self.browser.new_context(**{**USUAL, **options})
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

    def register(self, identifier: str) -> Any:
        """A further session of a user, without a page; the data of the answer."""
        return self._call("POST", "/register", {"userIdentifier": identifier})

    def befriend(self, one: str, other: str) -> None:
        """Make two users contacts, each with a name and a status."""
        first, second = self.register(one), self.register(other)
        for who, account, status in ((one, first, "Looking for a ridge"), (other, second, "On the next ridge")):
            self._call("PATCH", "/profile", {"nickName": who.capitalize(), "status": status}, account["token"])
        self._call("PUT", f"/contacts/{other}", None, first["token"])

    def invitation_of(self, identifier: str, name: str) -> str:
        """The link by which a user of that name invites one other."""
        token = self.register(identifier)["token"]
        self._call("PATCH", "/profile", {"nickName": name}, token)
        link: str = self._call("POST", "/contact-invitations", {}, token)["url"]
        return link

    def signed_in(self, identifier: str) -> Page:
        """A screen that is signed in already, as after a reload."""
        page = self.open("/")
        page.evaluate(
            "kept => sessionStorage.setItem('heliograph.session', kept)", json.dumps(self.register(identifier))
        )
        page.reload()
        expect(page.get_by_text("Connected", exact=True)).to_be_visible()
        return page

    def _call(self, method: str, path: str, body: object, token: str | None = None) -> Any:
        headers = {"Heliograph-Key": self.site.key} | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = httpx.request(method, f"{self.site.url}/api/v1{path}", headers=headers, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json().get("data")

    def console(self, key: str | None = None) -> Page:
        """The admin console, open at the list of users; of the sandbox, where the key is no other."""
        page = self.open("/admin")
        page.get_by_label("Secret key of the app").fill(key or self.site.secret_key)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", name="Users")).to_be_visible()
        return page

    def typed_code(self, screen: Page) -> str:
        return screen.get_by_text(TYPED_CODE).inner_text()

    def sees(self, screen: Page) -> Image.Image:
        """The code, as a camera before the screen sees it."""
        return picture_of(screen.locator(".code-frame"))

    def type_the_code(self, phone: Page, code: str) -> None:
        phone.get_by_role("button", name="Scan a code").click()
        phone.get_by_label("The 8 letters beside the code").fill(code)
        phone.get_by_role("button", name="Go on").click()

    def ask(self, phone: Page, screen: Page) -> None:
        """Bring the phone to its consent screen, the short way."""
        self.type_the_code(phone, self.typed_code(screen))
        expect(phone.get_by_role("heading", name="Another device asks to sign in")).to_be_visible()

    def approve(self, phone: Page) -> str:
        """Approve, and read the digits."""
        phone.get_by_role("button", name="Approve").click()
        return self.digits(phone)

    def digits(self, phone: Page) -> str:
        shown = phone.locator(".check-code")
        expect(shown).to_be_visible()
        return "".join(shown.locator("[aria-hidden]").all_inner_texts())

    def type_the_digits(self, screen: Page, digits: str) -> None:
        screen.get_by_label("The two digits on the phone").fill(digits)
        screen.get_by_role("button", name="Sign in").click()

    def link(self, screen: Page, phone: Page) -> None:
        """Sign a screen in, the short way."""
        self.ask(phone, screen)
        self.type_the_digits(screen, self.approve(phone))
        expect(screen.get_by_text("Connected", exact=True)).to_be_visible()
        phone.get_by_role("button", name="Done").click()

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.contexts.clear()


@pytest.fixture
def people(site: Site, browser: Browser, camera: FakeCamera) -> Iterator[People]:
    camera.look_away()
    people = People(site, browser)
    yield people
    people.close()
    assert people.complaints == []


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    if not AXE.is_file():
        pytest.skip("axe-core is missing: `make web` installs it")
    SCREENS.mkdir(parents=True, exist_ok=True)
    gallery = Gallery(AXE.read_text(encoding="utf-8"))
    yield gallery
    assert gallery.violations == []


def picture_of(element: Locator) -> Image.Image:
    return Image.open(io.BytesIO(element.screenshot())).convert("L")


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture(scope="session")
def other_site() -> Iterator[str]:
    """The address of another site: the files of this folder, from a port of their own."""
    handler = partial(_Silent, directory=str(Path(__file__).parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, name="other site")
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def vendor_page(people: People, site: Site, other_site: str) -> Callable[..., Page]:
    """Opens the page that was written from the vendor's documentation, as another site serves it."""

    def open_page(**options: Any) -> Page:
        settings = {
            "node": site.url,
            "signal": f"{site.url.replace('http', 'ws', 1)}/signal",
            "key": site.key,
        }
        context = people.browser.new_context(**options)
        people.contexts.append(context)
        page = context.new_page()
        page.goto(f"{other_site}/vendor_page.html?{urlencode(settings)}")
        page.locator('[data-name="initialize"]').wait_for(state="attached")
        return page

    return open_page
