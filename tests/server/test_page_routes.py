"""The node's own pages: files with a strict policy, and what they are told of their node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heliograph.core import apps

PUBLIC_URL = "https://chat.test"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as the build of web/ leaves it."""
    for name, text in {
        "pages/signin.html": "<!doctype html><title>Sign in</title>",
        "pages/phone.html": "<!doctype html><title>Phone</title>",
        "pages/admin.html": "<!doctype html><title>Console</title>",
        "pages/style.css": "body {}",
        "sdk/heliograph.js": "export default {};",
        "secret.txt": "not to be served",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def pages(api: Any, built: Path) -> Any:
    return api.with_services(static_dir=built)


@pytest.mark.parametrize(
    ("path", "title"), [("/", "Sign in"), ("/phone", "Phone"), ("/link", "Phone"), ("/admin", "Console")]
)
async def test_a_page_comes_with_a_policy_that_lets_nothing_foreign_in(pages: Any, path: str, title: str) -> None:
    answer = await pages.http.get(path)
    assert answer.status_code == 200
    assert title in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    reached = [pages.services.clients.websocket_url.partition("/xmpp")[0], PUBLIC_URL, "'self'"]
    assert sorted(rules["connect-src"].split()) == sorted(reached)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["permissions-policy"].startswith("camera=(self)")


@pytest.mark.parametrize("path", ["/pages/style.css", "/sdk/heliograph.js"])
async def test_a_file_is_asked_for_again_and_sent_only_when_it_has_changed(pages: Any, path: str) -> None:
    answer = await pages.http.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    again = await pages.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/pages/none.js", "/pages/../secret.txt", "/pages/%2e%2e/secret.txt", "/sdk/", "/pages"]
)
async def test_nothing_else_is_served(pages: Any, path: str) -> None:
    answer = await pages.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "route_not_found"


async def test_pages_that_are_not_built_say_how_to_build_them(api: Any, tmp_path: Path) -> None:
    answer = await api.with_services(static_dir=tmp_path).http.get("/")
    assert answer.status_code == 404
    assert "make web" in answer.json()["message"]


async def test_an_operator_can_do_without_the_admin_console(pages: Any) -> None:
    answer = await pages.with_services(has_admin_console=False).http.get("/admin")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


async def test_the_pages_are_told_the_trial_key_of_the_only_app(pages: Any) -> None:
    answer = await pages.http.get("/pages/config.json")
    assert answer.json() == {"apiBaseUrl": PUBLIC_URL, "licenseKey": pages.key("trial"), "isTrialLicenseKey": True}


async def test_of_several_apps_the_setting_names_one(pages: Any) -> None:
    other = await apps.create(pages.services.ports, "Other", "other.test")
    unsaid = await pages.http.get("/pages/config.json")
    assert unsaid.status_code == 404
    assert "pages_app" in unsaid.json()["message"]
    named = pages.with_services(pages_app=pages.known.app.id)
    assert (await named.http.get("/pages/config.json")).json()["licenseKey"] == pages.key("trial")
    named = replace(pages, known=other).with_services(pages_app=other.app.id)
    assert (await named.http.get("/pages/config.json")).json()["licenseKey"] == named.key("trial")
    unknown = pages.with_services(pages_app="app_none")
    assert (await unknown.http.get("/pages/config.json")).status_code == 404
