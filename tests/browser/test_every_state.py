"""Every state of the pages: what it says, and that it is accessible; by day and by night, wide and narrow.

With HELIOGRAPH_SCREENS=1 the pictures in docs/screens are taken again (`make screens`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from gallery import NARROW, WIDE, Gallery


@dataclass
class Signal:
    """Stands between a screen and the signal server: lets all pass, and says what the test wants the server to say."""

    is_through: bool = True
    _sockets: list[WebSocketRoute] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.route_web_socket("**/signal", self._take)

    def _take(self, socket: WebSocketRoute) -> None:
        self._sockets.append(socket)
        if self.is_through:
            socket.connect_to_server()

    def say(self, **message: Any) -> None:
        self._sockets[-1].send(json.dumps(message))

    def cut(self) -> None:
        self.is_through = False
        self._sockets[-1].close(code=3000)


def screen_behind(people: Any, signal: Signal) -> Page:
    """A sign-in page whose signal socket goes through `signal`."""
    page: Page = people.screen()
    signal.attach(page)
    page.reload()
    if signal.is_through:
        expect(page.get_by_text("Waiting for your phone")).to_be_visible()
    return page


def test_the_screen_before_a_phone_comes(people: Any, gallery: Gallery) -> None:
    gallery.look(screen_behind(people, Signal(is_through=False)), "screen-01-connecting")

    signal = Signal()
    screen = screen_behind(people, signal)
    gallery.look(screen, "screen-02-waiting")
    signal.say(type="paused")
    expect(screen.get_by_text("The code is resting", exact=True)).to_be_visible()
    gallery.look(screen, "screen-03-paused")
    signal.cut()
    expect(screen.get_by_text("Out of reach", exact=True)).to_be_visible()
    gallery.look(screen, "screen-04-offline")


@pytest.mark.parametrize(
    ("code", "heading", "name"),
    [
        ("access_denied", "Denied on the phone", "screen-08-denied"),
        ("expired_token", "That took too long", "screen-09-expired"),
        ("check_code_mismatch", "That did not work", "screen-10-wrong-digits"),
    ],
)
def test_how_it_can_end(people: Any, gallery: Gallery, code: str, heading: str, name: str) -> None:
    signal = Signal()
    screen = screen_behind(people, signal)
    signal.say(type="ended", code=code, message="As the server says")
    expect(screen.get_by_role("heading", name=heading)).to_be_visible()
    gallery.look(screen, name)
    screen.get_by_role("button", name="Show a new code").click()
    expect(screen.get_by_text("Waiting for your phone")).to_be_visible()


def test_a_screen_and_a_phone_all_the_way(people: Any, gallery: Gallery, camera: Any) -> None:
    people.befriend("ada", "bob")
    phone = people.open("/phone?as=ada", viewport=NARROW)
    expect(phone.get_by_label("Your identifier")).to_have_value("ada")
    gallery.look(phone, "phone-01-sign-in")
    phone.get_by_role("button", name="Sign in").click()
    expect(phone.get_by_role("heading", name="Linked sessions")).to_be_visible()
    screen = people.screen()

    phone.get_by_role("button", name="Scan a code").click()
    expect(phone.get_by_text("Hold the phone so that")).to_be_visible()
    gallery.look(phone, "phone-03-scanner")
    phone.get_by_role("button", name="Back").click()
    camera.look_at(people.sees(screen))
    phone.get_by_role("button", name="Scan a code").click()
    expect(phone.get_by_role("heading", name="Another device asks to sign in")).to_be_visible()
    gallery.look(phone, "phone-04-consent")
    gallery.look(screen, "screen-05-scanned")

    digits = people.approve(phone)
    gallery.look(phone, "phone-07-check-code")
    expect(screen.get_by_role("heading", name="Is this you?")).to_be_visible()
    gallery.look(screen, "screen-06-check-code")
    people.type_the_digits(screen, f"{(int(digits) + 1) % 100:02}")
    expect(screen.get_by_role("alert")).to_contain_text("2 tries left")
    gallery.look(screen, "screen-07-try-again")
    people.type_the_digits(screen, digits)
    expect(screen.get_by_text("Connected", exact=True)).to_be_visible()
    phone.get_by_role("button", name="Done").click()
    expect(phone.get_by_role("button", name="End the session on")).to_be_visible()
    gallery.look(phone, "phone-02-home")
    at_home(people, gallery, screen)

    phone.get_by_role("button", name="End the session on").click()
    expect(screen.get_by_role("heading", name="Signed out")).to_be_visible()
    gallery.look(screen, "screen-15-signed-out")


def at_home(people: Any, gallery: Gallery, screen: Page) -> None:
    """The parts of the chat home."""
    gallery.look(screen, "screen-11-home")
    other = people.signed_in("bob")
    other.get_by_role("button", name="Ada").click()
    other.get_by_label("Write a message").fill("Three flashes, from the ridge.")
    other.keyboard.press("Enter")
    expect(screen.get_by_text("1 new")).to_be_visible()
    screen.get_by_role("button", name="Bob").click()
    expect(screen.get_by_text("Three flashes, from the ridge.")).to_be_visible()
    screen.get_by_label("Write a message").fill("Seen. Sending back.")
    screen.keyboard.press("Enter")
    expect(other.get_by_text("Seen. Sending back.")).to_be_visible()
    gallery.look(screen, "screen-12-conversation")
    screen.set_viewport_size(NARROW)  # type: ignore[arg-type]
    screen.get_by_role("button", name="Sessions").click()
    gallery.look(screen, "screen-13-sessions")
    screen.get_by_role("button", name="Profile", exact=True).click()
    screen.get_by_role("button", name="Edit").click()
    gallery.look(screen, "screen-14-profile")
    screen.set_viewport_size(WIDE)  # type: ignore[arg-type]


def test_what_else_a_phone_may_have_to_say(people: Any, gallery: Gallery) -> None:
    phone, screen = people.phone("nora"), people.screen()
    phone.route("**/qr-links/scan", from_afar)
    people.ask(phone, screen)
    expect(phone.get_by_text("It is on another network.")).to_be_visible()
    gallery.look(phone, "phone-05-consent-from-afar")
    phone.get_by_role("button", name="Deny").click()
    expect(phone.get_by_role("heading", name="Denied")).to_be_visible()
    gallery.look(phone, "phone-08-denied")
    phone.unroute("**/qr-links/scan")
    phone.get_by_role("button", name="Back").click()
    people.type_the_code(phone, "BCDF-GHJK")
    expect(phone.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(phone.get_by_text("The code has expired. Scan the new one.")).to_be_visible()
    gallery.look(phone, "phone-09-expired")


def from_afar(route: Any) -> None:
    """The node's answer, of a browser somewhere else."""
    answer = route.fetch()
    body = answer.json()
    body["data"] |= {"ip": "203.0.113.9", "ipHint": "public", "sameNetwork": False, "newDevice": True}
    route.fulfill(response=answer, json=body)


def test_an_invitation_is_shown_before_it_makes_a_contact(people: Any, gallery: Gallery) -> None:
    link = people.invitation_of("ivy", "Ivy from the ridge")
    phone = people.phone("jon")
    phone.goto(link)
    phone.reload()  # a new fragment alone loads nothing
    expect(phone.get_by_role("heading", name="Ivy from the ridge would like to be your contact")).to_be_visible()
    gallery.look(phone, "phone-12-invitation")
    phone.get_by_role("button", name="Accept").click()
    expect(phone.get_by_text("Ivy from the ridge is a contact now.")).to_be_visible()
    other = people.phone("kim")
    other.goto(link)
    other.reload()
    expect(other.get_by_role("heading", name="This invitation is over")).to_be_visible()
    gallery.look(other, "phone-13-invitation-over")


def test_the_choice_at_the_cap(people: Any, gallery: Gallery) -> None:
    phone, screen = people.phone("olga"), people.screen()
    for _ in range(4):
        people.register("olga")
    people.ask(phone, screen)
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("heading", name="Too many sessions")).to_be_visible()
    gallery.look(phone, "phone-06-too-many-sessions")


def test_a_phone_without_a_camera(people: Any, gallery: Gallery) -> None:
    phone = people.phone("nora")
    phone.add_init_script("delete Object.getPrototypeOf(navigator).mediaDevices")
    phone.reload()
    phone.get_by_role("button", name="Scan a code").click()
    expect(phone.get_by_text("The camera is not available. Use a picture, or type the code.")).to_be_visible()
    gallery.look(phone, "phone-10-no-camera")


def test_a_node_without_an_app_says_so(people: Any, gallery: Gallery) -> None:
    page = people.open("/phone")
    page.route("**/pages/config.json", lambda route: route.fulfill(status=404, json={}))
    page.reload()
    expect(page.get_by_text("This server has no app for its pages yet.")).to_be_visible()
    gallery.look(page, "phone-11-no-app")
