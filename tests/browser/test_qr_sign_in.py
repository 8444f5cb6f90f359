"""A person scans the code on a screen with a phone, approves, and is in; or does not, and is not."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image
from playwright.sync_api import expect


def test_a_phone_lets_a_screen_in_by_its_camera_and_a_new_photo_shows_on_both(
    people: Any, camera: Any, tmp_path: Path, record_property: Any
) -> None:
    phone = people.phone("ada")
    screen = people.screen()
    camera.look_at(people.sees(screen))

    phone.get_by_role("button", name="Scan a code").click()

    expect(phone.get_by_role("heading", name="Another device asks to sign in")).to_be_visible()
    expect(screen.locator(".veil").get_by_text("Scanned")).to_be_visible()
    facts = phone.locator("dl").inner_text()
    assert "Chrom" in facts
    assert "Linux" in facts
    assert "127.0.0.1" in facts
    expect(phone.get_by_text("Go on only if you started this yourself")).to_be_visible()
    deny, allow = (phone.get_by_role("button", name=name).bounding_box() for name in ("Deny", "Approve"))
    assert deny is not None
    assert allow is not None
    assert (deny["width"], deny["height"]) == (allow["width"], allow["height"])

    digits = people.approve(phone)
    expect(screen.get_by_text("This page is about to be signed in as ada.")).to_be_visible()
    began = time.perf_counter()
    people.type_the_digits(screen, digits)
    expect(screen.get_by_text("Connected", exact=True)).to_be_visible()
    record_property("digits_to_connected_s", time.perf_counter() - began)

    phone.get_by_role("button", name="Done").click()
    photo = tmp_path / "ada.png"
    Image.effect_mandelbrot((96, 96), (-1.6, -1.2, 0.8, 1.2), 60).convert("RGB").save(photo)
    screen.get_by_role("button", name="Edit").click()
    screen.get_by_role("textbox", name="Name").fill("Ada Lovelace")
    screen.get_by_role("button", name="Save").click()
    screen.get_by_label("Change photo").set_input_files(photo)

    for page in (screen, phone):
        card = page.get_by_role("region", name="Your profile")
        expect(card.get_by_text("Ada Lovelace")).to_be_visible()
        expect(card.locator("img")).to_be_visible()
        assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_the_code_can_be_typed_in_small_letters_too(people: Any) -> None:
    screen, phone = people.screen(), people.phone("bea")
    people.type_the_code(phone, people.typed_code(screen).lower().replace("-", ""))
    expect(phone.get_by_role("heading", name="Another device asks to sign in")).to_be_visible()
    people.type_the_digits(screen, people.approve(phone))
    expect(screen.get_by_role("region", name="Your profile").get_by_text("bea", exact=True)).to_be_visible()


def test_the_code_can_come_out_of_a_picture(people: Any, tmp_path: Path) -> None:
    screen, phone = people.screen(), people.phone("cleo")
    picture = tmp_path / "code.png"
    people.sees(screen).save(picture)
    phone.get_by_role("button", name="Scan a code").click()
    phone.get_by_label("Use a picture").set_input_files(picture)
    expect(phone.get_by_role("heading", name="Another device asks to sign in")).to_be_visible()


def test_a_code_that_was_opened_as_a_link_asks_and_approves_nothing(people: Any) -> None:
    screen, phone = people.screen(), people.phone("cleo")
    code = zxingcpp.read_barcodes(people.sees(screen))[0].text
    phone.goto(f"{people.site.url}/link#{code}")
    expect(phone.get_by_role("heading", name="Another device asks to sign in")).to_be_visible()
    expect(screen.locator(".veil").get_by_text("Scanned")).to_be_visible()
    assert "#" not in phone.url
    people.type_the_digits(screen, people.approve(phone))
    expect(screen.get_by_text("Connected", exact=True)).to_be_visible()


def test_a_picture_without_a_code_is_said_to_have_none(people: Any, tmp_path: Path) -> None:
    phone = people.phone("cleo")
    picture = tmp_path / "nothing.png"
    Image.new("L", (200, 200), 90).save(picture)
    phone.get_by_role("button", name="Scan a code").click()
    phone.get_by_label("Use a picture").set_input_files(picture)
    expect(phone.get_by_text("There is no code in that picture.")).to_be_visible()


def test_without_a_camera_the_other_ways_are_named(people: Any) -> None:
    phone = people.phone("cleo")
    phone.add_init_script("delete Object.getPrototypeOf(navigator).mediaDevices")
    phone.reload()
    phone.get_by_role("button", name="Scan a code").click()
    expect(phone.get_by_text("The camera is not available. Use a picture, or type the code.")).to_be_visible()


def test_what_is_denied_on_the_phone_is_denied_on_the_screen(people: Any) -> None:
    screen, phone = people.screen(), people.phone("dora")
    people.ask(phone, screen)
    phone.get_by_role("button", name="Deny").click()
    expect(phone.get_by_role("heading", name="Denied")).to_be_visible()
    expect(screen.get_by_role("heading", name="Denied on the phone")).to_be_visible()

    screen.get_by_role("button", name="Show a new code").click()
    phone.get_by_role("button", name="Back").click()
    people.link(screen, phone)


def test_who_is_not_the_one_named_can_say_so(people: Any) -> None:
    screen, phone = people.screen(), people.phone("dora")
    people.ask(phone, screen)
    people.approve(phone)
    screen.get_by_role("button", name="Not me").click()
    expect(screen.get_by_role("heading", name="Cancelled")).to_be_visible()


def test_three_wrong_pairs_of_digits_close_the_request(people: Any) -> None:
    screen, phone = people.screen(), people.phone("emma")
    people.ask(phone, screen)
    wrong = f"{(int(people.approve(phone)) + 1) % 100:02}"
    for left in ("2 tries left", "One try left"):
        people.type_the_digits(screen, wrong)
        expect(screen.get_by_role("alert")).to_contain_text(left)
    people.type_the_digits(screen, wrong)
    expect(screen.get_by_text("The digits were wrong three times")).to_be_visible()


def test_a_code_that_was_used_is_refused_in_words(people: Any) -> None:
    screen, phone = people.screen(), people.phone("flora")
    used = people.typed_code(screen)
    people.link(screen, phone)
    other = people.phone("gina")
    people.type_the_code(other, used)
    expect(other.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(other.get_by_text(re.compile("Scan the new one"))).to_be_visible()


def test_a_session_ended_on_the_phone_ends_on_the_screen_and_says_why(people: Any) -> None:
    screen, phone = people.screen(), people.phone("hanna")
    people.link(screen, phone)
    phone.get_by_role("button", name=re.compile("^End the session on")).click()
    expect(screen.get_by_role("heading", name="Signed out")).to_be_visible()
    expect(screen.get_by_text("This session was ended from another of your devices.")).to_be_visible()
    expect(phone.get_by_text("No screen is signed in with this phone.")).to_be_visible()

    screen.get_by_role("button", name="Show a new code").click()
    expect(screen.get_by_text("Waiting for your phone")).to_be_visible()


def test_end_all_web_sessions_ends_every_screen_and_leaves_the_phone(people: Any) -> None:
    phone = people.phone("ines")
    screens = [people.screen(), people.screen()]
    for screen in screens:
        people.link(screen, phone)
    phone.get_by_role("button", name="End all web sessions").click()
    for screen in screens:
        expect(screen.get_by_role("heading", name="Signed out")).to_be_visible()
    expect(phone.get_by_role("heading", name="Linked sessions")).to_be_visible()
    expect(phone.get_by_text("No screen is signed in with this phone.")).to_be_visible()


def test_a_reload_stays_signed_in_and_a_new_profile_is_not(people: Any) -> None:
    screen, phone = people.screen(), people.phone("jana")
    people.link(screen, phone)
    screen.reload()
    expect(screen.get_by_text("Connected", exact=True)).to_be_visible()
    phone.reload()
    expect(phone.get_by_role("heading", name="Linked sessions")).to_be_visible()
    people.screen()


def test_at_the_cap_the_phone_chooses_which_session_makes_room(people: Any) -> None:
    phone = people.phone("kim")
    for _ in range(4):
        people.register("kim")
    screen = people.screen()
    people.ask(phone, screen)
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("heading", name="Too many sessions")).to_be_visible()
    assert phone.get_by_role("listitem").count() == 5
    phone.get_by_role("listitem").get_by_role("button").last.click()
    people.type_the_digits(screen, people.digits(phone))
    expect(screen.get_by_text("Connected", exact=True)).to_be_visible()


def test_the_pages_speak_german_to_whom_asks_for_it(people: Any) -> None:
    page = people.open("/phone", locale="de-DE", viewport={"width": 390, "height": 844})
    expect(page.get_by_role("heading", name="Ihr Telefon, Ihr Schlüssel")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "de"
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_role("heading", name="Your phone, your key")).to_be_visible()
