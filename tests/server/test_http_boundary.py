"""What holds for every request: error bodies, limits, headers, ids, and no word about a bug."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from heliograph.server import http, reading
from heliograph.server.endpoints import NoBody, Shown

JSON_ENDPOINTS = [endpoint for endpoint in http.ENDPOINTS if endpoint.takes is not NoBody]


def concrete(path: str) -> str:
    return path.replace("{identifier}", "ada").replace("{user}", "ada").replace("{id}", "ses_x")


def name_of(endpoint: Any) -> str:
    return f"{endpoint.method} {endpoint.path}"


async def test_an_unknown_address_is_404_in_our_form(api: Any) -> None:
    for path in ("/api", "/api/v1", "/api/v1/nothing", "/api/v1/config/", "/api/v2/config", "/xmpp", "/media"):
        answer = await api.http.get(path)
        assert answer.json() == {
            "statusCode": 404, "message": "There is nothing at this address", "code": "route_not_found",
        }  # fmt: skip


async def test_a_wrong_method_is_405_and_names_all_right_ones(api: Any) -> None:
    cases = {
        "/api/v1/config": {"GET", "HEAD"},
        "/api/v1/profile": {"GET", "HEAD", "PATCH"},
        "/api/v1/contacts/ada": {"PUT", "DELETE"},
        "/media/x": {"GET", "HEAD"},
    }
    for path, allowed in cases.items():
        answer = await api.http.post(path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == allowed


async def test_where_two_addresses_fit_the_one_answers_that_has_the_method(api: Any) -> None:
    users = {"json": {"users": [{"userIdentifier": "ada"}]}}
    assert (await api.data("POST", "/users/bulk", key="trial secret", **users))["registered"] == 1
    assert (await api.error("GET", "/users/bulk", key="trial secret"))["code"] == "account_not_found"
    answer = await api.http.post("/api/v1/users/ada")
    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)


@pytest.mark.parametrize("endpoint", http.ENDPOINTS, ids=name_of)
async def test_no_endpoint_answers_without_a_key(api: Any, endpoint: Any) -> None:
    error = await api.error(endpoint.method, concrete(endpoint.path), key=None)
    assert (error["statusCode"], error["code"]) == (401, "license_invalid")


@pytest.mark.parametrize("endpoint", http.ENDPOINTS, ids=name_of)
async def test_an_endpoint_asks_for_what_it_declares(api: Any, endpoint: Any) -> None:
    wanted = {Shown.TOKEN: "token_missing", Shown.SECRET_KEY: "secret_key_required"}
    code = (await api.call(endpoint.method, concrete(endpoint.path))).json().get("code")
    assert code == wanted.get(endpoint.shown, code)
    assert code not in {"token_missing", "secret_key_required"} or endpoint.shown is not Shown.KEY


@pytest.mark.parametrize("endpoint", JSON_ENDPOINTS, ids=name_of)
async def test_every_json_body_is_strict_and_bounded(api: Any, ada: Any, endpoint: Any) -> None:
    place = (endpoint.method, concrete(endpoint.path))
    shown = {"token": ada["token"], "key": "trial secret" if endpoint.shown is Shown.SECRET_KEY else "trial"}
    nothing = () if endpoint.is_body_optional else (b"",)
    for content in (*nothing, b"{", b"[]", b"nonsense", b'"text"', b'{"' + b"\xff" + b'": 1}'):
        error = await api.error(*place, **shown, content=content)
        assert (error["statusCode"], error["code"]) == (400, "request_invalid")
    error = await api.error(*place, **shown, content=b'{"noSuchField": 1}')
    assert "field" in error["details"]
    most = max(64 * 1024, endpoint.body_max_bytes)
    error = await api.error(*place, **shown, content=b" " * (most + 1))
    assert (error["statusCode"], error["code"]) == (413, "payload_too_large")
    assert error["details"] == {"maxBytes": most}


async def test_the_limit_counts_the_bytes_that_come_and_not_what_is_declared(api: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b" " * 1000

    error = await api.error("POST", "/register", content=endless())
    assert error["code"] == "payload_too_large"
    assert sent <= 64 * 1024 + 2000


async def test_an_operator_narrows_the_limit_and_clients_are_told(api: Any) -> None:
    narrow = api.with_services(request_max_bytes=4096)
    assert (await narrow.data("GET", "/config"))["limits"]["requestMaxBytes"] == 4096
    error = await narrow.error("POST", "/register", content=b" " * 4097)
    assert error["details"] == {"maxBytes": 4096}


async def test_a_body_of_just_the_limit_is_read(api: Any) -> None:
    content = b'{"userIdentifier": "ada"}'.ljust(64 * 1024)
    assert (await api.data("POST", "/register", content=content))["username"] == "ada"


async def test_a_body_that_never_comes_is_given_up(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = asyncio.timeout
    monkeypatch.setattr(reading.asyncio, "timeout", lambda _seconds: real(0.01))

    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    error = await api.error("POST", "/register", content=stuck())
    assert (error["statusCode"], error["message"]) == (400, "The body did not come in time")


# --------------------------------------------------------------------------------------------------------------- bugs


class Broken:
    """A rate counter with a bug, whose message tells a secret."""

    async def take(self, *_: object) -> float:
        raise ValueError("hunter2 at /srv/heliograph")


async def test_a_bug_is_answered_with_an_id_and_logged_under_it(api: Any) -> None:
    broken = api.with_services(ports=replace(api.services.ports, rates=Broken()))
    with capture_logs() as lines:
        response = await broken.call(
            "POST", "/register", json={"userIdentifier": "ada"}, headers={"Origin": "https://page.example"}
        )
    body = response.json()
    error_id = body["details"]["errorId"]
    assert body == {
        "statusCode": 500, "message": "Internal error", "code": "internal_error", "details": {"errorId": error_id},
    }  # fmt: skip
    assert response.headers["x-request-id"] == error_id
    assert response.headers["access-control-allow-origin"] == "*"
    failed = [line for line in lines if line["event"] == "request_failed"]
    assert [line["error_id"] for line in failed] == [error_id]
    assert "ValueError" in failed[0]["error"]
    assert failed[0]["route"] == "/api/v1/register"


async def test_a_bug_after_the_answer_began_closes_the_connection(api: Any) -> None:
    async def half(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    with capture_logs() as lines, pytest.raises(RuntimeError):
        await api.with_services(apps={"/half": half}).http.get("/half")
    assert [line["event"] for line in lines] == ["request_failed"]


async def test_a_client_that_leaves_is_no_bug(api: Any) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pytest.fail(f"answered nobody: {message}")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/register",
        "query_string": b"",
        "headers": [(b"heliograph-key", api.key("trial").encode())],
        "client": None,
    }
    with capture_logs() as lines:
        await http.create_app(api.services)(scope, receive, send)
    assert [(line["event"], line["log_level"]) for line in lines] == [("client_left", "info")]


# ------------------------------------------------------------------------------------------------------------ headers


async def test_every_answer_is_safe_in_a_browser(api: Any) -> None:
    for path in ("/api/v1/config", "/nowhere", "/livez"):
        headers = (await api.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_each_request_has_an_id_of_its_own_in_answer_and_log(api: Any) -> None:
    with capture_logs() as lines:
        ids = [(await api.http.get("/livez")).headers["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert [line["request_id"] for line in lines] == ids
    assert {line["event"] for line in lines} == {"request_served"}


async def test_a_page_of_any_origin_may_call_but_without_cookies(api: Any) -> None:
    origin = {"Origin": "https://page.example"}
    preflight = await api.http.options(
        "/api/v1/register",
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type, heliograph-key",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert {"POST", "PUT", "PATCH", "DELETE"} <= set(preflight.headers["access-control-allow-methods"].split(", "))
    answer = await api.call("GET", "/config", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    for response in (preflight, answer):
        assert "access-control-allow-credentials" not in response.headers


async def test_head_is_get_without_the_body(api: Any) -> None:
    answer = await api.call("HEAD", "/config")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


# ------------------------------------------------------------------------------------------------- addresses and apps


async def address_seen(api: Any, **headers: str) -> str:
    data = await api.data("POST", "/register", json={"userIdentifier": "ada"}, headers=headers)
    found = (await api.data("GET", "/sessions", token=data["token"]))["sessions"]
    return next(session["ip"] for session in found if session["current"])


async def test_without_a_trusted_proxy_nobody_chooses_an_address(api: Any) -> None:
    assert await address_seen(api, **{"X-Forwarded-For": "192.0.2.1"}) == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.66, 192.0.2.1", "192.0.2.1"),
        ("198.51.100.66, 192.0.2.1, 203.0.113.9", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
async def test_behind_a_trusted_proxy_the_last_untrusted_address_counts(api: Any, forwarded: str, seen: str) -> None:
    behind = api.with_services(trusted_proxies=("203.0.113.0/24",))
    assert await address_seen(behind, **{"X-Forwarded-For": forwarded}) == seen
    stranger = behind.elsewhere("198.51.100.1")
    assert await address_seen(stranger, **{"X-Forwarded-For": forwarded}) == "198.51.100.1"


async def test_another_application_gets_its_path_and_all_below_it(api: Any) -> None:
    async def echo(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=5")]})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    client: httpx.AsyncClient = api.with_services(apps={"/pages": echo}).http
    for path in ("/pages", "/pages/", "/pages/a/b"):
        answer = await client.get(path)
        assert (answer.text, answer.headers["cache-control"]) == (path, "max-age=5")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/pages2")).status_code == 404
