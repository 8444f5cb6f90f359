"""The description of the API says what the node does, with an example for each call and each error."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest

from heliograph.errors import TABLE
from heliograph.server.http import ENDPOINTS
from heliograph.server.openapi.document import WHAT_TO_DO, document

DOCUMENT = document(ENDPOINTS)
CALLS = [(method, path) for path, found in DOCUMENT["paths"].items() for method in found]


def validate(value: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(value)


def test_every_endpoint_is_in_it_once() -> None:
    assert len(CALLS) == len(ENDPOINTS)
    names = [DOCUMENT["paths"][path][method]["operationId"] for method, path in CALLS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_is_told_and_its_examples_fit(method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert operation["description"]
    for body in (operation.get("requestBody"), operation["responses"]["200"]):
        for content in (body or {"content": {}})["content"].values():
            assert "example" in content or "format" in str(content["schema"])
            if "example" in content:
                validate(content["example"], content["schema"])


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_error_has_an_example_a_meaning_and_what_to_do(code: str) -> None:
    example = DOCUMENT["components"]["examples"][code]
    validate(example["value"], DOCUMENT["components"]["schemas"]["ErrorBody"])
    assert example["value"]["code"] == code
    assert example["summary"]
    assert example["description"] == WHAT_TO_DO[TABLE[code].row.status]


def codes(method: str, path: str) -> set[str]:
    responses = DOCUMENT["paths"][f"/api/v1{path}"][method]["responses"]
    contents = [found["content"]["application/json"] for status, found in responses.items() if status.isdecimal()]
    return {code for content in contents for code in content.get("examples", ())}


def test_a_call_names_the_errors_of_its_use_case() -> None:
    registering = codes("post", "/register")
    assert {"identifier_invalid", "session_limit", "sandbox_full", "registration_unverified"} <= registering
    assert {"profile_invalid", "profile_conflict"} <= codes("patch", "/profile")
    assert {"secret_key_required", "account_not_found"} <= codes("post", "/users/{identifier}/block")
    assert "secret_key_required" not in registering
    assert "token_expired" not in registering


def test_every_name_in_a_path_is_a_parameter() -> None:
    for method, path in CALLS:
        told = {each["name"] for each in DOCUMENT["paths"][path][method].get("parameters", ()) if each["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", path))


async def test_programs_get_it_with_the_nodes_own_address(api: Any) -> None:
    answer = await api.http.get("/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document(ENDPOINTS, "https://chat.test")


class Reader(HTMLParser):
    """What a page refers to, and what it does not close."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.ids |= {found["id"] or ""} if "id" in found else set()
        self.links += [found["href"] or ""] if "href" in found else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_people_get_a_page_that_needs_nothing_else(api: Any) -> None:
    answer = await api.http.get("/api/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    reader = Reader()
    reader.feed(answer.text)
    assert reader.open == []
    assert not reader.tags & {"script", "img", "link", "iframe"}
    assert {link for link in reader.links if not link.startswith("#")} == {"openapi.json"}
    assert {link[1:] for link in reader.links if link.startswith("#")} <= reader.ids
    for _, path in CALLS:
        assert f"<code>{path}</code>" in answer.text
