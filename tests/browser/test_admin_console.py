"""The admin console: what an operator does there happens to real users, and every state is accessible."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.sync_api import Page, expect

from gallery import Gallery
from heliograph.core.apps import Environment, KeyKind


def open_user(console: Page, identifier: str) -> None:
    console.get_by_role("link", name="Users").click()
    console.get_by_label("Search by the beginning").fill(identifier)
    console.get_by_role("link", name=identifier).click()
    expect(console.get_by_role("heading", name="Account")).to_be_visible()


def test_only_a_secret_key_opens_it(people: Any, gallery: Gallery) -> None:
    page = people.open("/admin")
    for key, words in ((people.site.key, "This is the publishable key."), ("hg_sk_none", "This key is not valid.")):
        page.get_by_label("Secret key of the app").fill(key)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_contain_text(words)
    gallery.look(page, "admin-01-key")


def test_the_key_lives_as_long_as_the_tab_and_no_longer_than_the_reader_wants(people: Any) -> None:
    console = people.console()
    console.reload()
    expect(console.get_by_role("heading", name="Users")).to_be_visible()
    assert people.site.secret_key not in console.url
    other = console.context.new_page()
    other.goto(people.site.url + "/admin")
    expect(other.get_by_label("Secret key of the app")).to_be_visible()
    console.get_by_role("button", name="Sign out").click()
    expect(console.get_by_label("Secret key of the app")).to_be_visible()
    assert console.evaluate("sessionStorage.length") == 0


def test_a_profile_that_is_changed_here_changes_on_the_users_screen(people: Any, gallery: Gallery) -> None:
    people.befriend("paula", "quinn")
    screen = people.signed_in("paula")
    console = people.console()
    gallery.look(console, "admin-02-users")
    open_user(console, "paula")
    gallery.look(console, "admin-03-user")
    console.get_by_role("button", name="Edit").click()
    gallery.look(console, "admin-04-edit")
    console.get_by_role("textbox", name="Name").fill("Paula from the ridge")
    console.get_by_role("button", name="Save").first.click()
    expect(screen.get_by_text("Paula from the ridge")).to_be_visible()
    expect(console.get_by_text("“Paula” → “Paula from the ridge”")).to_be_visible()
    expect(console.get_by_text("by the backend")).to_be_visible()


def test_a_session_that_is_ended_here_ends(people: Any) -> None:
    screen = people.signed_in("rita")
    console = people.console()
    open_user(console, "rita")
    console.get_by_role("button", name="End the session").click()
    expect(screen.get_by_role("heading", name="Signed out")).to_be_visible()
    expect(console.get_by_text("Signed in nowhere.")).to_be_visible()
    expect(console.get_by_text("Session ended")).to_be_visible()


def test_a_user_is_blocked_unblocked_and_deleted(people: Any, gallery: Gallery) -> None:
    screen = people.signed_in("sven")
    console = people.console()
    open_user(console, "sven")
    console.get_by_role("button", name="Block").click()
    expect(screen.get_by_text("Your account was blocked.")).to_be_visible()
    expect(console.get_by_text("blocked", exact=True)).to_be_visible()
    console.get_by_role("button", name="Unblock").click()
    expect(console.get_by_text("blocked", exact=True)).to_be_hidden()

    console.get_by_role("button", name="Delete").click()
    expect(console.get_by_role("dialog")).to_contain_text("nothing can be restored")
    gallery.look(console, "admin-05-delete")
    console.keyboard.press("Escape")
    expect(console.get_by_role("dialog")).to_be_hidden()
    console.get_by_role("button", name="Delete").click()
    console.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(console.get_by_role("heading", name="Users")).to_be_visible()
    console.get_by_label("Search by the beginning").fill("sven")
    expect(console.get_by_text("No such user.")).to_be_visible()


def test_a_live_user_that_was_deleted_can_be_restored(people: Any, site: Any) -> None:
    key = site.app.keys[KeyKind.SECRET, Environment.LIVE]
    made = httpx.post(f"{site.url}/api/v1/register", headers={"Heliograph-Key": key}, json={"userIdentifier": "tess"})
    assert made.status_code == 200, made.text
    console = people.console(key)
    expect(console.get_by_text("Live", exact=True)).to_be_visible()
    open_user(console, "tess")
    console.get_by_role("button", name="Delete").click()
    console.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(console.get_by_text("Gone for good on")).to_be_visible()
    console.get_by_role("button", name="Restore").click()
    expect(console.get_by_text("The user is back, with profile and contacts.")).to_be_visible()
    expect(console.get_by_text("Gone for good on")).to_be_hidden()


def test_a_registered_user_gets_credentials_that_work(people: Any, site: Any, gallery: Gallery) -> None:
    console = people.console()
    console.get_by_label("Identifier of a new user").fill("uma")
    console.get_by_role("button", name="Register").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("The user is registered.")
    gallery.look(console, "admin-06-registered")
    _, password = dialog.locator("code").all_inner_texts()
    dialog.get_by_role("button", name="Done").click()
    expect(console.get_by_role("heading", name="Account")).to_be_visible()
    credentials = {"username": "uma", "password": password}
    answer = httpx.post(f"{site.url}/api/v1/tokens", headers={"Heliograph-Key": site.key}, json=credentials)
    assert answer.status_code == 200, answer.text


def test_a_cap_of_the_users_own_holds_and_one_out_of_bounds_is_refused(people: Any) -> None:
    people.register("vera")
    console = people.console()
    open_user(console, "vera")
    cap = console.get_by_role("spinbutton", name="Most sessions at once")
    cap.fill("101")
    console.get_by_role("button", name="Save").click()
    expect(console.get_by_role("status")).to_contain_text("100")
    cap.fill("1")
    console.get_by_role("button", name="Save").click()
    expect(console.get_by_text("Saved.", exact=True)).to_be_visible()
    people.register("vera")
    console.reload()
    expect(console.get_by_role("button", name="End the session")).to_have_count(1)


def test_the_trail_follows_by_itself(people: Any, gallery: Gallery) -> None:
    people.register("walt")
    console = people.console()
    console.get_by_role("link", name="Activity").click()
    expect(console.get_by_role("link", name="walt").first).to_be_visible()
    gallery.look(console, "admin-07-activity")
    people.register("xena")
    expect(console.get_by_role("link", name="xena").first).to_be_visible()
    console.get_by_role("link", name="xena").first.click()
    expect(console.get_by_role("heading", name="Account")).to_be_visible()


def test_users_are_offered_the_statuses_that_are_set_here(people: Any, site: Any, gallery: Gallery) -> None:
    console = people.console()
    console.get_by_role("link", name="App", exact=True).click()
    console.get_by_label("One on each line").fill("On the ridge\n\n  Signalling  ")
    console.get_by_role("button", name="Save").click()
    expect(console.get_by_text("Saved.", exact=True)).to_be_visible()
    gallery.look(console, "admin-08-app")
    answer = httpx.get(f"{site.url}/api/v1/app/statuses", headers={"Heliograph-Key": site.key})
    assert answer.json()["data"]["statuses"] == ["On the ridge", "Signalling"]
    console.get_by_role("link", name="Feedback").click()
    expect(console.get_by_text("Nobody has said anything yet.")).to_be_visible()


def test_an_unknown_user_and_a_node_that_is_away_are_said_in_words(people: Any) -> None:
    console = people.console()
    console.goto(people.site.url + "/admin#/users/nobody-here")
    expect(console.get_by_text("There is no such user.")).to_be_visible()
    console.route("**/api/v1/**", lambda route: route.abort())
    console.reload()
    expect(console.get_by_text("The server does not answer.")).to_be_visible()
    console.unroute("**/api/v1/**")
    console.get_by_role("button", name="Try again").click()
    expect(console.get_by_text("There is no such user.")).to_be_visible()


def test_it_speaks_the_readers_language(people: Any) -> None:
    page = people.open("/admin", locale="de-DE")
    page.get_by_label("Geheimer Schlüssel der App").fill(people.site.secret_key)
    page.get_by_role("button", name="Öffnen").click()
    expect(page.get_by_role("heading", name="Nutzer")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"
