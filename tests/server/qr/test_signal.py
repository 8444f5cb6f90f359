"""What the signal server says to a browser, from hello to the credential."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from websockets.exceptions import InvalidStatus

from heliograph.core import apps
from heliograph.core.apps import Policy, QrFormat, Verification
from heliograph.core.sessions import EndReason
from patience import PATIENCE_S

NewBrowser = Callable[..., Awaitable[Any]]


async def set_policy(api: Any, **changes: Any) -> None:
    await apps.set_policy(api.services.ports, api.known.app, replace(Policy(), **changes))


async def test_the_whole_story(api: Any, browser: Any, phone: Any, engine: Any) -> None:
    consent = await phone.scan(browser)
    assert consent == {
        "linkId": browser.id,
        "device": {"device": "", "browser": "Firefox", "os": "Linux"},
        "ip": "127.0.0.1",
        "ipHint": "loopback",
        "requestedAgo": 0,
        "expiresIn": 120,
        "sameNetwork": False,
        "newDevice": True,
        "needsKeyHash": True,
    }
    assert await browser.hears("scanned") == {"type": "scanned"}  # and nothing of the user
    check_code = (await phone.approve(browser))["checkCode"]
    assert await browser.hears("verify") == {
        "type": "verify",
        "user": {"userId": "ada", "nickName": "", "image": ""},
        "triesLeft": 3,
    }
    await browser.send("checkCode", code=check_code)
    sealed = (await browser.hears("approved"))["jwe"]
    await browser.send("received")
    assert await browser.is_closed() == 1000
    data = json.loads(browser.unseal(sealed))
    assert (data["username"], data["userJid"]) == ("ada", "ada@sandbox.chat.example")
    assert data["isExisting"]
    listed = await api.data("GET", "/sessions", token=data["token"])
    (current,) = [session for session in listed["sessions"] if session["current"]]
    assert (current["id"], current["via"], current["browser"]) == (data["sessionId"], "qr", "Firefox")
    assert [told[0] for told in engine.told].count("announce_session") == 1


async def test_the_credential_is_bound_to_the_link_and_to_the_key(browser: Any, phone: Any) -> None:
    await phone.scan(browser)
    code = (await phone.approve(browser))["checkCode"]
    await browser.hears("scanned")
    await browser.hears("verify")
    await browser.send("checkCode", code=code)
    sealed = (await browser.hears("approved"))["jwe"]
    header = json.loads(urlsafe_b64decode(sealed.split(".")[0].encode()))
    party = urlsafe_b64encode(browser.id.encode()).decode()
    assert (header["alg"], header["enc"]) == ("ECDH-ES", "A256GCM")
    assert (header["apu"], header["apv"]) == (party, browser.key.thumbprint())
    browser.key = ECKey.generate_key("P-256")
    with pytest.raises(Exception, match=r"(?i)decrypt|decod|invalid"):
        browser.unseal(sealed)


async def test_the_code_says_what_the_contract_says(browser: Any) -> None:
    code = browser.code
    assert code.keys() == {
        "type", "linkId", "resumeSecret", "qr", "typedCode", "keyHash", "expiresIn", "refreshIn",
    }  # fmt: skip
    assert code["qr"].startswith("HG1.")
    assert code["qr"].endswith(".chat.test")
    assert code["keyHash"] == browser.key_hash == browser.key.thumbprint()
    assert (code["expiresIn"], code["refreshIn"]) == (60, 25)


async def test_an_app_may_want_links(api: Any, new_browser: NewBrowser, phone: Any) -> None:
    await set_policy(api, qr_format=QrFormat.LINK)
    browser = await (await new_browser()).open()
    assert browser.code["qr"].startswith("https://chat.test/link#HG1.")
    assert (await phone.scan(browser))["linkId"] == browser.id


async def test_a_new_code_comes_every_25_seconds_and_after_12_a_person_clicks(browser: Any, clock: Any) -> None:
    seen = {browser.code["qr"]}
    for _ in range(11):
        clock.turn(25)
        seen.add((await browser.hears("code"))["qr"])
    assert len(seen) == 12
    clock.turn(25)
    await browser.hears("paused")
    await browser.send("continue")
    assert (await browser.hears("code"))["qr"] not in seen


async def test_continue_is_refused_while_codes_come(browser: Any) -> None:
    await browser.send("continue")
    refusal = await browser.hears("error")
    assert (refusal["code"], refusal["retryAfter"]) == ("slow_down", 25)


async def test_without_check_codes_the_approval_signs_in(api: Any, new_browser: NewBrowser, phone: Any) -> None:
    await set_policy(api, verification=Verification.NONE)
    browser = await (await new_browser()).open()
    await phone.scan(browser)
    await browser.hears("scanned")
    assert await phone.approve(browser) == {"checkCode": None}
    assert json.loads(browser.unseal((await browser.hears("approved"))["jwe"]))["username"] == "ada"


async def test_the_browser_hears_a_denial(browser: Any, phone: Any) -> None:
    await phone.scan(browser)
    await browser.hears("scanned")
    assert await phone.deny(browser) is None
    assert (await browser.hears("ended"))["code"] == "access_denied"
    assert await browser.is_closed() == 1000
    assert await phone.approve(browser) == (403, "access_denied")


async def test_the_browser_may_cancel(browser: Any, phone: Any) -> None:
    await browser.send("cancel")
    assert (await browser.hears("ended"))["code"] == "expired_token"
    assert await phone.scan(browser) == (400, "expired_token")


async def test_wrong_check_codes_end_the_link(browser: Any, phone: Any) -> None:
    await phone.scan(browser)
    await browser.hears("scanned")
    right = (await phone.approve(browser))["checkCode"]
    await browser.hears("verify")
    for tries_left in (2, 1):
        await browser.send("checkCode", code=f"{(int(right) + 1) % 100:02}")
        refusal = await browser.hears("error")
        assert (refusal["code"], refusal["triesLeft"]) == ("check_code_mismatch", tries_left)
        assert (await browser.hears("verify"))["triesLeft"] == tries_left
    await browser.send("checkCode", code="")
    assert (await browser.hears("ended"))["code"] == "check_code_mismatch"


async def test_a_check_code_before_the_approval_is_too_early(browser: Any, phone: Any) -> None:
    await browser.send("checkCode", code="00")
    assert (await browser.hears("error"))["code"] == "authorization_pending"


@pytest.mark.parametrize("step", ["scanned", "approved"])
async def test_the_browser_hears_when_the_phone_has_signed_out(api: Any, browser: Any, phone: Any, step: str) -> None:
    await phone.scan(browser)
    await browser.hears("scanned")
    if step == "approved":
        await phone.approve(browser)
        await browser.hears("verify")
    await api.data("DELETE", "/sessions/current", token=phone.user["token"])
    assert (await browser.hears("ended"))["code"] == "access_denied"


async def test_the_browser_hears_when_the_user_is_blocked(api: Any, browser: Any, phone: Any) -> None:
    await phone.scan(browser)
    await browser.hears("scanned")
    await api.data("POST", "/users/ada/block", key="trial secret")
    assert (await browser.hears("ended"))["code"] == "access_denied"


async def test_the_browser_hears_when_the_phone_takes_too_long(browser: Any, phone: Any, clock: Any) -> None:
    await phone.scan(browser)
    await browser.hears("scanned")
    clock.turn(120)
    assert (await browser.hears("ended"))["code"] == "expired_token"


async def test_no_session_is_made_when_there_is_no_room_any_more(api: Any, new_browser: NewBrowser, phone: Any) -> None:
    await set_policy(api, max_sessions=2)
    browser = await (await new_browser()).open()
    await phone.scan(browser)
    await browser.hears("scanned")
    code = (await phone.approve(browser, forceRegister=False))["checkCode"]
    await browser.hears("verify")
    await api.register("ada")
    await browser.send("checkCode", code=code)
    assert (await browser.hears("ended"))["code"] == "session_limit"


# --------------------------------------------------------------------------------------------------------- lost sockets


async def test_a_lost_socket_is_replaced_in_each_state(new_browser: NewBrowser, browser: Any, phone: Any) -> None:
    first_code = browser.code["qr"]
    await browser.socket.close()
    second = await (await new_browser()).resume(browser)
    assert (await second.hears("code"))["qr"] != first_code
    await phone.scan(second)
    await second.hears("scanned")
    third = await (await new_browser()).resume(second)
    await third.hears("scanned")
    assert await second.is_closed() == 1000
    code = (await phone.approve(third))["checkCode"]
    await third.hears("verify")
    await third.socket.close()
    fourth = await (await new_browser()).resume(third)
    await fourth.hears("verify")
    await fourth.send("checkCode", code=code)
    sealed = await fourth.hears("approved")
    await fourth.socket.close()  # and nobody knows whether it was read
    fifth = await (await new_browser()).resume(fourth)
    assert await fifth.hears("approved") == sealed
    await fifth.send("received")
    assert await fifth.is_closed() == 1000
    sixth = await (await new_browser()).resume(fifth)
    assert (await sixth.hears("error"))["code"] == "already_used"


async def test_a_browser_cannot_have_received_what_was_not_sent(browser: Any) -> None:
    await browser.send("received")
    assert (await browser.hears("error"))["code"] == "authorization_pending"


@pytest.mark.parametrize("changes", [{"resumeSecret": "x" * 43}, {"linkId": "lnk_unknown"}, {"resumeSecret": ""}])
async def test_nobody_else_resumes_a_link(new_browser: NewBrowser, browser: Any, changes: dict[str, str]) -> None:
    thief = await (await new_browser()).resume(browser, **changes)
    assert (await thief.hears("error"))["code"] == "access_denied"
    assert (await thief.hears("ended"))["code"] == "access_denied"
    assert await thief.is_closed() == 1008


async def test_a_link_is_not_resumed_with_another_key_of_the_app(new_browser: NewBrowser, browser: Any) -> None:
    thief = await (await new_browser("live")).resume(browser)
    assert (await thief.hears("error"))["code"] == "access_denied"


# ------------------------------------------------------------------------------------------------------------ attackers


async def test_a_browser_that_does_not_hold_its_key_gets_no_code(new_browser: NewBrowser) -> None:
    browser = await new_browser()
    await browser.hello()
    await browser.hears("challenge")
    await browser.send("proof", nonce="x" * 43)
    assert (await browser.hears("error"))["code"] == "key_mismatch"
    assert (await browser.hears("ended"))["code"] == "key_mismatch"
    assert await browser.is_closed() == 1008


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"licenseKey": "hg_pk_trial_" + "x" * 43}, "license_invalid"),
        ({"licenseKey": ""}, "license_invalid"),
        ({"version": 2}, "request_invalid"),
        ({"publicKey": {"kty": "EC", "crv": "P-256", "x": "x" * 43, "y": "x" * 43}}, "request_invalid"),
        ({"publicKey": {"kty": "EC", "crv": "P-384", "x": "x", "y": "y"}}, "request_invalid"),
        ({"device": {"device": "x" * 5000}}, "payload_too_large"),
        ({"surprise": 1}, "request_invalid"),
    ],
)
async def test_a_hello_that_is_refused(new_browser: NewBrowser, changes: dict[str, Any], code: str) -> None:
    browser = await new_browser()
    await browser.hello(**changes)
    assert (await browser.hears("error"))["code"] == code
    assert (await browser.hears("ended"))["code"] == code
    assert await browser.is_closed() in {1008, 1009}


async def test_pages_of_other_origins_are_refused(api: Any, new_browser: NewBrowser, browser: Any) -> None:
    await set_policy(api, origins=("https://chat.example",))
    for origin in ("https://evil.example", "null"):
        page = await new_browser(origin=origin)
        await page.hello()
        assert (await page.hears("error"))["code"] == "origin_forbidden"
        again = await (await new_browser(origin=origin)).resume(browser)
        assert (await again.hears("error"))["code"] == "origin_forbidden"
    assert await (await new_browser(origin="https://chat.example")).open()


@pytest.mark.parametrize("subprotocols", [None, ["xmpp"]])
async def test_a_socket_without_the_subprotocol_is_refused(new_browser: NewBrowser, subprotocols: Any) -> None:
    with pytest.raises(InvalidStatus):
        await new_browser(subprotocols=subprotocols)


async def test_an_ordinary_request_is_told_to_upgrade(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
        answer = await client.get("/signal")
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


async def test_an_address_holds_only_so_many_sockets(new_browser: NewBrowser) -> None:
    opened = [await new_browser() for _ in range(5)]
    with pytest.raises(InvalidStatus):
        await new_browser()
    await opened[0].socket.close()
    await opened[1].hello()  # the server has taken note of the first one's end by the time it answers
    await opened[1].hears("challenge")
    assert await new_browser()


@pytest.mark.parametrize("hello_timeout_s", [0.1])
async def test_a_silent_socket_is_closed(new_browser: NewBrowser) -> None:
    assert await (await new_browser()).is_closed() == 1008


async def test_a_message_that_is_too_long_closes_the_socket(browser: Any) -> None:
    await browser.send("checkCode", code="x" * 4096)
    assert (await browser.hears("error"))["code"] == "payload_too_large"
    assert await browser.is_closed() == 1009


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"type":"approve"}', '{"type":"checkCode"}', '{"type":"hello"}', "\ud7ff" * 10]
)
async def test_what_is_no_message_is_refused_and_the_link_goes_on(browser: Any, phone: Any, text: str) -> None:
    await browser.socket.send(text)
    assert (await browser.hears("error"))["code"] == "request_invalid"
    assert (await phone.scan(browser))["linkId"] == browser.id


async def test_a_flood_is_slowed_down_and_then_cut_off(browser: Any) -> None:
    codes = []
    for _ in range(20):
        await browser.send("checkCode", code="00")
        codes.append((await browser.hears("error"))["code"])
    assert codes[:10] == ["authorization_pending"] * 10
    assert "slow_down" in codes
    assert await browser.is_closed() == 1008


async def test_a_browser_cannot_choose_its_device_name_freely(new_browser: NewBrowser, phone: Any) -> None:
    browser = await new_browser()
    await browser.hello(device={"device": "x" * 500, "browser": "Fire\u202efox\n", "os": ""})
    await browser.send("proof", nonce=browser.unseal((await browser.hears("challenge"))["jwe"]).decode())
    await browser.hears("code")
    shown = (await phone.scan(browser))["device"]
    assert shown == {"device": "x" * 128, "browser": "Firefox", "os": ""}


async def test_ending_the_linked_session_takes_its_tokens(api: Any, browser: Any, phone: Any) -> None:
    await phone.scan(browser)
    await browser.hears("scanned")
    code = (await phone.approve(browser))["checkCode"]
    await browser.hears("verify")
    await browser.send("checkCode", code=code)
    data = json.loads(browser.unseal((await browser.hears("approved"))["jwe"]))
    ended = await api.data("POST", "/sessions/end-others", token=phone.user["token"], json={"onlyWeb": True})
    assert ended == {"sessionIds": [data["sessionId"]]}
    assert (await api.error("GET", "/sessions", token=data["token"]))["code"] == "token_revoked"
    assert EndReason.ENDED_BY_USER == "ended_by_user"
