"""A page that was written from the vendor's page alone runs here: only the import and addresses changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect


@pytest.fixture
def page(vendor_page: Any) -> Page:
    opened: Page = vendor_page()
    assert told(opened, "initialize")["statusCode"] == 200
    return opened


def told(page: Page, name: str, nth: int = 0) -> Any:
    """What the page has noted under that name."""
    line = page.locator(f'[data-name="{name}"]').nth(nth)
    expect(line).to_be_attached()
    return json.loads(line.text_content() or "")


def press(page: Page, button: str, nth: int = 0) -> Any:
    page.locator(f"#{button}").click()
    return told(page, button, nth)


def test_register_and_connect(page: Page) -> None:
    page.get_by_label("Identifier").fill("vendor-user_1")
    assert press(page, "register") == {"statusCode": 200, "message": "Login Success"}
    registered = told(page, "registered")
    assert (registered["statusCode"], registered["message"]) == (200, "Success")
    data = registered["data"]
    assert data["username"]
    assert data["password"]
    assert data["userJid"] == "vendor-user_1@sandbox.pages.test"
    assert (data["isProfileUpdated"], data["isSandbox"]) == (False, True)
    statuses = [
        json.loads(line)["status"] for line in page.locator('[data-name="connectionListener"]').all_text_contents()
    ]
    assert statuses[-1] == "CONNECTED"
    assert press(page, "token")["statusCode"] == 200


def test_registration_without_force_is_refused_at_the_cap_with_405(page: Page) -> None:
    page.get_by_label("Identifier").fill("vendor-user_2")
    for time in range(5):
        press(page, "full", time)
    page.locator("#full").click()
    assert told(page, "full failed")["statusCode"] == 405


def test_profile_with_a_url_and_with_a_file(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Identifier").fill("vendor-user_3")
    press(page, "register")
    assert press(page, "profile-url")["statusCode"] == 200
    told_of = told(page, "userProfileListener")
    assert told_of["nickName"] == "Name"
    assert told_of["image"] == "https://domain.example/path/image.png"
    assert (told_of["mobileNumber"], told_of["email"]) == ("1111111111", "email@domain.example")

    picture = tmp_path / "picture.png"
    Image.new("RGB", (32, 32), "orange").save(picture)
    page.get_by_label("Picture").set_input_files(picture)
    assert press(page, "profile-file")["statusCode"] == 200
    assert told(page, "userProfileListener", 1)["image"] != told_of["image"]


@pytest.mark.parametrize("way", ["code-by-element", "code-by-id"])
def test_sign_in_by_code_with_the_dialog_that_the_sdk_brings(people: Any, page: Page, way: str, tmp_path: Path) -> None:
    phone = people.phone("vendor-phone")
    press(page, way)
    seen = tmp_path / "code.png"
    page.locator("#canvas").screenshot(path=seen)
    phone.get_by_role("button", name="Scan a code").click()
    phone.get_by_label("Use a picture").set_input_files(seen)
    expect(phone.get_by_role("heading", name="Another device asks to sign in")).to_be_visible()
    digits = people.approve(phone)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("vendor-phone")
    dialog.get_by_role("textbox").fill(digits)
    page.keyboard.press("Enter")
    response = told(page, "scanned")
    assert response["statusCode"] == 200
    assert response["username"] == "vendor-phone"
    assert response["password"]
