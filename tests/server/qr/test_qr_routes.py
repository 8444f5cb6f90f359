"""The phone's calls of QR sign-in: who may, when, and what they answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import Policy, Proximity


async def linked(browser: Any, phone: Any) -> dict[str, Any]:
    """Sign the browser in; the data of its session."""
    await phone.scan(browser)
    code = (await phone.approve(browser))["checkCode"]
    await browser.hears("scanned")
    await browser.hears("verify")
    await browser.send("checkCode", code=code)
    data: dict[str, Any] = json.loads(browser.unseal((await browser.hears("approved"))["jwe"]))
    await browser.send("received")
    await browser.is_closed()
    return data


async def test_scans_need_a_token(api: Any, browser: Any) -> None:
    body = {"code": browser.qr_code}
    for path in ("/qr-links/scan", f"/qr-links/{browser.id}/approve", f"/qr-links/{browser.id}/deny"):
        assert (await api.error("POST", path, json=body))["code"] == "token_missing"


async def test_a_stolen_code_is_of_no_use_to_the_second(browser: Any, phone: Any, other_phone: Any) -> None:
    assert (await other_phone.scan(browser))["linkId"] == browser.id
    assert await phone.scan(browser) == (409, "already_used")
    assert await phone.approve(browser) == (403, "access_denied")
    assert await phone.deny(browser) == (403, "access_denied")


async def test_a_replayed_and_a_late_approval_are_refused(browser: Any, phone: Any) -> None:
    await linked(browser, phone)
    assert await phone.scan(browser) == (409, "already_used")
    assert await phone.approve(browser) == (409, "already_used")
    assert await phone.deny(browser) == (409, "already_used")


async def test_an_expired_code(browser: Any, phone: Any, clock: Any) -> None:
    clock.turn(601)
    assert await phone.scan(browser) == (400, "expired_token")


async def test_a_code_of_the_sandbox_is_unknown_to_live_users(api: Any, browser: Any, phone: Any) -> None:
    live = await api.register("ada", key="live secret")
    answer = await api.error("POST", "/qr-links/scan", key="live", token=live["token"], json={"code": browser.qr_code})
    assert (answer["statusCode"], answer["code"]) == (400, "expired_token")
    assert (await phone.scan(browser))["linkId"] == browser.id


async def test_a_hundred_scans_of_one_code_at_once(api: Any, browser: Any) -> None:
    users = [await api.register(f"user-{number}") for number in range(10)]
    answers = await asyncio.gather(*(
        api.call("POST", "/qr-links/scan", token=users[number % 10]["token"], json={"code": browser.qr_code})
        for number in range(100)
    ))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 99


async def test_many_approvals_at_once(browser: Any, phone: Any) -> None:
    await phone.scan(browser)
    answers = await asyncio.gather(*(phone.approve(browser) for _ in range(20)))
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert answers.count((409, "already_used")) == 19


async def test_a_linked_session_may_neither_link_nor_delete(
    api: Any, new_browser: Any, browser: Any, phone: Any
) -> None:
    data = await linked(browser, phone)
    second = await (await new_browser()).open()
    as_linked = type(phone)(api, data)
    assert await as_linked.scan(second) == (403, "step_up_required")
    assert await as_linked.approve(second) == (403, "step_up_required")
    assert (await api.error("DELETE", "/account", token=data["token"]))["code"] == "step_up_required"
    assert await api.data("GET", "/sessions", token=data["token"])
    await api.data("DELETE", "/account", token=phone.user["token"])


async def test_a_swapped_key_is_noticed(browser: Any, phone: Any) -> None:
    await phone.scan(browser)
    await browser.hears("scanned")
    assert await phone.approve(browser, keyHash="x" * 43) == (403, "key_mismatch")
    assert (await browser.hears("ended"))["code"] == "key_mismatch"
    assert await phone.approve(browser) == (403, "key_mismatch")


async def test_at_the_cap_the_phone_gets_the_sessions_and_may_choose(api: Any, browser: Any, phone: Any) -> None:
    for _ in range(4):
        other = await api.register("ada")
    await phone.scan(browser)
    refusal = await api.error(
        "POST",
        f"/qr-links/{browser.id}/approve",
        token=phone.user["token"],
        json={"keyHash": browser.key_hash, "forceRegister": False},
    )
    assert (refusal["statusCode"], refusal["code"], len(refusal["details"]["sessions"])) == (405, "session_limit", 5)
    assert await phone.approve(browser, replaceSession="ses_unknown") == (404, "session_not_found")
    assert "checkCode" in await phone.approve(browser, replaceSession=other["sessionId"])


async def test_typed_codes(browser: Any, phone: Any) -> None:
    typed = browser.code["typedCode"]
    consent = await phone.post("/qr-links/scan", json={"code": f"{typed[:4]}-{typed[4:].lower()}"})
    assert not consent["needsKeyHash"]
    assert "checkCode" in await phone.post(f"/qr-links/{browser.id}/approve", json={})


async def test_guessing_typed_codes_is_slowed_down(api: Any, phone: Any) -> None:
    for _ in range(5):
        assert await phone.post("/qr-links/scan", json={"code": "BCDF-GHJK"}) == (400, "expired_token")
    answer = await api.call("POST", "/qr-links/scan", token=phone.user["token"], json={"code": "BCDF-GHJK"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "12")


async def test_proximity_may_be_required(api: Any, new_browser: Any, phone: Any) -> None:
    policy = replace(Policy(), proximity=Proximity.REQUIRE)
    await apps.set_policy(api.services.ports, api.known.app, policy)
    browser = await (await new_browser()).open()
    assert await phone.scan(browser) == (403, "access_denied")
    near = type(phone)(api.elsewhere("127.0.0.1"), phone.user)
    assert (await near.scan(browser))["sameNetwork"]
    assert await phone.approve(browser) == (403, "access_denied")
    assert "checkCode" in await near.approve(browser)


async def test_a_code_that_is_no_text(phone: Any) -> None:
    assert await phone.post("/qr-links/scan", json={"code": 7}) == (400, "request_invalid")
    assert await phone.post("/qr-links/scan", json={}) == (400, "request_invalid")
    assert await phone.post("/qr-links/scan", json={"code": "x" * 60_000}) == (400, "expired_token")


async def test_codes_and_credentials_are_in_no_log_line(
    new_browser: Any, phone: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = await (await new_browser()).open()
    data = await linked(browser, phone)
    logged = capsys.readouterr()
    lines = logged.out + logged.err
    for event in ("opened", "scanned", "approved", "verified", "delivered"):
        assert f"qr_link_{event}" in lines
    assert browser.id in lines
    secrets = (browser.qr_code, browser.code["typedCode"], browser.code["resumeSecret"], data["password"])
    for secret in (*secrets, data["token"], data["refreshToken"]):
        assert secret not in lines
