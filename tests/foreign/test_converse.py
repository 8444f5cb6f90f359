"""Converse.js in a real browser, over WebSocket: what a person does and sees there.

With HELIOGRAPH_SCREENS=1 the pictures in docs/screens are taken again (`make screens`).
"""

from __future__ import annotations

import base64
import io
import os
import re
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Page, async_playwright, expect

import needs
from chromium import QUIET
from patience import PATIENCE_MS

HERE = Path(__file__).parent
SCREENS = HERE.parents[1] / "docs" / "screens"
IS_PHOTOGRAPHED = os.environ.get("HELIOGRAPH_SCREENS") == "1"
NAME_BEFORE, NAME_AFTER = "Bob", "Bob on the ridge"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a site that has Converse.js on a page."""
    needs.npm_client("converse.js")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(HERE)))
    thread = threading.Thread(target=server.serve_forever, name="site")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/converse.html"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs.chromium(), args=QUIET)
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce")
        page.set_default_timeout(PATIENCE_MS)
        yield page
        await browser.close()


def portrait(colour: str) -> bytes:
    """A picture of a mountain, as PNG."""
    image = Image.new("RGB", (256, 256), "#cfe3f1")
    ImageDraw.Draw(image).polygon([(20, 230), (128, 50), (236, 230)], fill=colour)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def vcard(name: str, picture: bytes) -> str:
    """A vcard-temp with a name and a picture in it (XEP-0054)."""
    binval = base64.b64encode(picture).decode()
    photo = f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{binval}</BINVAL></PHOTO>"
    return f"<vCard xmlns='vcard-temp'><FN>{name}</FN>{photo}</vCard>"


async def photograph(page: Page, name: str) -> None:
    if IS_PHOTOGRAPHED:
        picture = Image.open(io.BytesIO(await page.screenshot()))
        SCREENS.mkdir(parents=True, exist_ok=True)
        picture.save(SCREENS / f"{name}.webp", quality=82, method=6)


def query_of(friends: Any) -> str:
    return "?" + urlencode({"service": friends.websocket})


async def sign_in(page: Page, address: str, jid: str, password: str) -> None:
    """Fill in the form of Converse.js, as a person does."""
    await page.goto(address)
    await page.get_by_label("XMPP Address").fill(jid)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def test_a_person_signs_in_chats_and_sees_the_contact_change(friends: Any, site: str, page: Page) -> None:
    bob = friends.bob
    await sign_in(page, site + query_of(friends), friends.ada.jid, friends.ada.password)
    await page.locator(".contact-name", has_text=NAME_BEFORE).click()
    contact = page.locator("li.list-item", has=page.locator(f"[data-jid='{bob.bare}']"))
    await expect(contact).to_have_attribute("data-status", "online")
    await expect(contact.locator("converse-avatar image")).to_have_count(0)

    await page.get_by_placeholder("Message").fill("Can you see the ridge?")
    await page.keyboard.press("Enter")
    assert await friends.heard_by_bob() == "Can you see the ridge?"
    await friends.bob_says("I am on it.")
    await expect(page.locator(".chat-msg__text", has_text="I am on it.")).to_be_visible()
    await photograph(page, "converse-01-before")

    answer = await bob.ask(vcard(NAME_AFTER, portrait("#7a5c3e")), kind="set")
    assert answer.get("type") == "result"
    await expect(contact.locator(".contact-name")).to_have_text(NAME_AFTER)
    await expect(contact.locator("converse-avatar image")).to_have_attribute("href", re.compile("^data:image/"))
    await expect(page.locator(".chat-head")).to_contain_text(NAME_AFTER)
    await photograph(page, "converse-02-after")


async def test_a_wrong_password_is_refused_in_words(friends: Any, site: str, page: Page) -> None:
    await sign_in(page, site + query_of(friends), friends.ada.jid, "not it")
    await expect(page.locator(".conn-feedback")).to_contain_text("Your XMPP address and/or password is incorrect")
