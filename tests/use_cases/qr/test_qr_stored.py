"""Both sides of QR sign-in over the real stores, and what attackers try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from heliograph.core import account_changes, accounts, apps, qr_browser, qr_phone, sessions, tokens
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Policy, Proximity, Verification
from heliograph.core.ports import Ports
from heliograph.core.qr_login import Event, State
from heliograph.core.sessions import Device, EndReason, Via
from heliograph.core.tokens import Identity
from heliograph.errors import (
    AccessDenied,
    AdminBlocked,
    AlreadyUsed,
    AuthorizationPending,
    CheckCodeMismatch,
    ExpiredToken,
    HeliographError,
    KeyMismatch,
    OriginForbidden,
    RateLimited,
    RequestInvalid,
    SessionLimit,
    SlowDown,
    StepUpRequired,
)
from heliograph.storage import sqlite

HOME, OFFICE = "198.51.100.1", "203.0.113.9"

OpenBrowser = Callable[..., Awaitable[Any]]
SignUp = Callable[..., Awaitable[Identity]]


async def outcomes(calls: list[Any]) -> list[str]:
    """What became of calls that ran at once: `ok`, or the code of the error."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    return [_outcome(result) for result in results]


def _outcome(result: object) -> str:
    if isinstance(result, HeliographError):
        return result.code
    assert not isinstance(result, BaseException), result
    return "ok"


def with_policy(identity: Identity, **changes: Any) -> Identity:
    return replace(identity, caller=caller_with(identity.caller, **changes))


def caller_with(caller: Caller, **changes: Any) -> Caller:
    return replace(caller, app=replace(caller.app, policy=replace(Policy(), **changes)))


# ------------------------------------------------------------------------------------------------------------ the story


async def test_the_browser_gets_a_session_of_its_own(browser: Any, phone: Identity, engine: Any) -> None:
    consent = await browser.scan(phone)
    assert consent == (browser.id, Device("", "Firefox", "Linux", HOME), "private", 0, 120, True, True, True)
    check_code = await browser.approve(phone)
    assert (await browser.verify(check_code)).state is State.VERIFIED
    made = await browser.sign_in()
    assert (await browser.deliver(made)).state is State.DELIVERED
    assert made.session.via is Via.QR
    assert made.session.device == Device("", "Firefox", "Linux", HOME)
    live = await browser.ports.sessions.live(phone.account.id)
    assert {session.id for session in live} == {phone.session.id, made.session.id}
    assert ("announce_session", phone.account.jid, made.session) in engine.told


async def test_an_app_without_check_codes_needs_the_approval_alone(browser: Any, phone: Identity) -> None:
    assert await browser.approved(with_policy(phone, verification=Verification.NONE)) == ""
    assert (await browser.verify(None)).state is State.VERIFIED


async def test_a_denied_link_is_over(browser: Any, phone: Identity) -> None:
    await browser.scan(phone)
    await qr_phone.deny(browser.ports, phone, browser.id)
    assert (await browser.link()).state is State.DENIED
    assert await browser.ended_with() == "access_denied"
    with pytest.raises(AccessDenied):
        await browser.approve(phone)


async def test_nothing_is_verified_before_the_phone_has_approved(browser: Any, phone: Identity) -> None:
    with pytest.raises(AuthorizationPending):
        await browser.verify("00")
    await browser.scan(phone)
    with pytest.raises(AuthorizationPending):
        await browser.verify("00")


# ---------------------------------------------------------------------------------------------------------------- codes


async def test_a_code_is_over_after_a_minute(browser: Any, phone: Identity, clock: Any) -> None:
    clock.turn(60)
    with pytest.raises(ExpiredToken):
        await browser.scan(phone)
    assert (await browser.link()).state is State.WAITING


async def test_the_last_two_codes_are_valid_and_the_one_before_is_dead(
    browser: Any, phone: Identity, clock: Any
) -> None:
    first = browser.codes
    clock.turn(5)
    second = await browser.rotate()
    clock.turn(5)
    await browser.rotate()
    with pytest.raises(ExpiredToken):
        await qr_phone.scan(browser.ports, phone, first.code, HOME)
    with pytest.raises(ExpiredToken):
        await qr_phone.scan(browser.ports, phone, first.typed_code, HOME)
    assert (await qr_phone.scan(browser.ports, phone, second.code, HOME)).link_id == browser.id


async def test_after_twelve_codes_a_person_has_to_click(browser: Any, clock: Any) -> None:
    with pytest.raises(SlowDown):
        await browser.rotate(Event.CONTINUE)
    for _ in range(11):
        clock.turn(25)
        await browser.rotate()
    clock.turn(25)
    with pytest.raises(SlowDown):
        await browser.rotate()
    assert (await browser.rotate(Event.CONTINUE)).link.codes_issued == 1
    assert (await browser.rotate()).link.codes_issued == 2


async def test_a_code_works_once(browser: Any, phone: Identity, sign_up: SignUp) -> None:
    await browser.scan(phone)
    for late in (phone, await sign_up("eve")):
        with pytest.raises(AlreadyUsed):
            await browser.scan(late)


async def test_of_a_hundred_scans_of_one_code_one_wins(browser: Any, sign_up: SignUp) -> None:
    phones = [await sign_up(f"user-{number}") for number in range(20)]
    results = await outcomes([browser.scan(phones[number % 20]) for number in range(100)])
    assert sorted(results) == ["already_used"] * 99 + ["ok"]


async def test_of_many_approvals_one_wins(browser: Any, phone: Identity) -> None:
    await browser.scan(phone)
    results = await outcomes([browser.approve(phone) for _ in range(20)])
    assert sorted(results) == ["already_used"] * 19 + ["ok"]


async def test_of_many_right_check_codes_one_wins(browser: Any, phone: Identity) -> None:
    code = await browser.approved(phone)
    results = await outcomes([browser.verify(code) for _ in range(20)])
    assert sorted(results) == ["already_used"] * 19 + ["ok"]


async def test_codes_and_secrets_are_not_in_the_database(browser: Any, phone: Identity, tmp_path: Path) -> None:
    code = await browser.approved(phone)
    await browser.verify(code)
    made = await browser.sign_in()
    await browser.deliver(made)
    files = await asyncio.to_thread(lambda: [path.read_bytes() for path in tmp_path.glob("heliograph.db*")])
    stored = b"".join(files)
    assert browser.id.encode() in stored
    secrets = (browser.codes.code, browser.codes.typed_code, browser.resume_secret, made.password)
    for secret in (*secrets, made.tokens.access_token, made.tokens.refresh_token):
        assert secret.encode() not in stored


# ------------------------------------------------------------------------------------------------------- the typed code


async def test_a_typed_code_gives_the_same_without_a_thumbprint(browser: Any, phone: Identity) -> None:
    typed = browser.codes.typed_code.lower()
    consent = await qr_phone.scan(browser.ports, phone, f"{typed[:4]}-{typed[4:]}", HOME)
    assert not consent.needs_key_hash
    code = await browser.approve(phone, key_hash=None)
    assert (await browser.verify(code)).state is State.VERIFIED


async def test_typed_codes_are_guessed_slowly(browser: Any, phone: Identity) -> None:
    for _ in range(5):
        with pytest.raises(ExpiredToken):
            await qr_phone.scan(browser.ports, phone, "BBBBBBBB", HOME)
    with pytest.raises(RateLimited) as limit:
        await qr_phone.scan(browser.ports, phone, browser.codes.typed_code, HOME)
    assert limit.value.retry_after_s == pytest.approx(12)


async def test_wrong_codes_are_limited(browser: Any, phone: Identity) -> None:
    for _ in range(10):
        with pytest.raises(ExpiredToken):
            await qr_phone.scan(browser.ports, phone, "x" * 43, HOME)
    with pytest.raises(RateLimited):
        await qr_phone.scan(browser.ports, phone, "x" * 43, HOME)


# -------------------------------------------------------------------------------------------------------- the wrong one


async def test_an_address_gets_only_so_many_links(open_browser: OpenBrowser) -> None:
    for _ in range(200):
        await open_browser()
    with pytest.raises(RateLimited):
        await open_browser()
    assert await open_browser(address=OFFICE)


async def test_a_browser_has_to_hold_its_key(ports: Ports, trial: Caller) -> None:
    key = ECKey.generate_key("P-256").as_dict(private=False)
    _, challenge = await qr_browser.greet(ports, trial, None, HOME, key)
    for guess in ("", challenge.jwe, "x" * 43, "\ud800"):
        with pytest.raises(KeyMismatch):
            qr_browser.check_proof(challenge, guess)


async def test_users_of_the_other_environment_or_another_app_see_no_code(
    browser: Any, ports: Ports, backend: Caller, sign_up: SignUp
) -> None:
    other = await apps.create(ports, "Other", "other.example")
    key = other.keys[apps.KeyKind.PUBLISHABLE, apps.Environment.SANDBOX]
    for caller in (backend, await apps.authenticate_key(ports, key)):
        eve = await sign_up("eve", caller)
        with pytest.raises(ExpiredToken):
            await browser.scan(eve)
        with pytest.raises(ExpiredToken):
            await browser.approve(eve)
    assert (await browser.link()).state is State.WAITING


async def test_only_the_session_that_scanned_may_answer(browser: Any, phone: Identity, sign_up: SignUp) -> None:
    await browser.scan(phone)
    for other in (await sign_up("eve"), await sign_up("ada")):
        with pytest.raises(AccessDenied):
            await browser.approve(other)
        with pytest.raises(AccessDenied):
            await qr_phone.deny(browser.ports, other, browser.id)
    assert (await browser.link()).state is State.SCANNED


async def test_approval_without_a_scan_is_refused(browser: Any, phone: Identity) -> None:
    with pytest.raises(AccessDenied):
        await browser.approve(phone)


async def test_a_linked_session_lets_nobody_in_not_even_the_browser_itself(
    browser: Any, phone: Identity, open_browser: OpenBrowser
) -> None:
    await browser.verify(await browser.approved(phone))
    made = await browser.sign_in()
    linked = await tokens.authenticate(browser.ports, browser.caller, made.tokens.access_token)
    second = await open_browser()
    with pytest.raises(StepUpRequired):
        await second.scan(linked)
    with pytest.raises(StepUpRequired):
        await second.approve(linked)


async def test_a_swapped_key_fails_the_link(browser: Any, phone: Identity) -> None:
    await browser.scan(phone)
    with pytest.raises(KeyMismatch):
        await browser.approve(phone, key_hash=ECKey.generate_key("P-256").thumbprint())
    assert (await browser.link()).state is State.FAILED
    with pytest.raises(KeyMismatch):
        await browser.approve(phone)


async def test_a_missing_thumbprint_is_the_phones_mistake(browser: Any, phone: Identity) -> None:
    await browser.scan(phone)
    with pytest.raises(RequestInvalid):
        await browser.approve(phone, key_hash=None)
    assert await browser.approve(phone)


async def test_three_wrong_check_codes_are_the_end(browser: Any, phone: Identity) -> None:
    right = await browser.approved(phone)
    wrong = f"{(int(right) + 1) % 100:02}"
    for tries_left in (2, 1):
        with pytest.raises(CheckCodeMismatch) as mismatch:
            await browser.verify(wrong)
        assert mismatch.value.details == {"triesLeft": tries_left}
    assert (await browser.verify(wrong)).state is State.FAILED
    with pytest.raises(CheckCodeMismatch):
        await browser.verify(right)


async def test_another_socket_cannot_guess_the_check_code(browser: Any, phone: Identity) -> None:
    right = await browser.approved(phone)
    with pytest.raises(AlreadyUsed):
        await qr_browser.verify(browser.ports, browser.id, "socket 2", right)


@pytest.mark.parametrize(("address", "is_same"), [(HOME, True), (OFFICE, False), ("", False)])
async def test_the_phone_is_told_whether_both_are_on_one_network(
    browser: Any, phone: Identity, address: str, is_same: bool
) -> None:
    assert (await browser.scan(phone, address)).is_same_network is is_same


async def test_proximity_can_be_required_or_ignored(browser: Any, phone: Identity, open_browser: OpenBrowser) -> None:
    strict = with_policy(phone, proximity=Proximity.REQUIRE)
    with pytest.raises(AccessDenied) as refusal:
        await browser.scan(strict, OFFICE)
    assert refusal.value.details == {"reason": "proximity"}
    await browser.scan(strict)
    with pytest.raises(AccessDenied):
        await qr_phone.approve(browser.ports, strict, browser.id, browser.key_hash, OFFICE)
    careless = with_policy(phone, proximity=Proximity.OFF)
    assert (await (await open_browser()).scan(careless, OFFICE)).is_same_network is None


async def test_only_pages_of_the_apps_origins_may_ask(ports: Ports, trial: Caller) -> None:
    strict = caller_with(trial, origins=("https://chat.example",))
    key = ECKey.generate_key("P-256").as_dict(private=False)
    for origin in ("https://evil.example", "http://chat.example", "null", "https://chat.example:444", ""):
        with pytest.raises(OriginForbidden):
            await qr_browser.greet(ports, strict, origin, HOME, key)
    for origin in ("https://chat.example", None):
        await qr_browser.greet(ports, strict, origin, HOME, key)


# ------------------------------------------------------------------------------------------------- the phone's session


async def test_a_link_whose_phone_has_signed_out_fails(browser: Any, phone: Identity) -> None:
    await browser.approved(phone)
    await sessions.end(browser.ports, phone.account, phone.session.id, EndReason.LOGOUT)
    assert (await browser.link()).state is State.FAILED
    assert await browser.ended_with() == "access_denied"


async def test_a_link_of_a_blocked_user_fails(browser: Any, phone: Identity, ports: Ports, app: Any) -> None:
    await browser.approved(phone)
    secret = await apps.authenticate_key(ports, app.keys[apps.KeyKind.SECRET, apps.Environment.SANDBOX])
    await account_changes.set_blocked(ports, secret, "ada", True)
    assert (await browser.link()).state is State.FAILED


@pytest.mark.parametrize("is_blocked", [False, True])
async def test_a_phone_that_goes_at_the_last_moment_signs_nobody_in(
    browser: Any, phone: Identity, ports: Ports, app: Any, is_blocked: bool
) -> None:
    await browser.verify(await browser.approved(phone))
    if is_blocked:
        secret = await apps.authenticate_key(ports, app.keys[apps.KeyKind.SECRET, apps.Environment.SANDBOX])
        await account_changes.set_blocked(ports, secret, "ada", True)
    else:
        await sessions.end(ports, phone.account, phone.session.id, EndReason.LOGOUT)
    with pytest.raises((AccessDenied, AdminBlocked)):
        await browser.sign_in()
    assert (await browser.link()).state is State.FAILED
    assert await ports.sessions.live(phone.account.id) == []


async def test_a_deleted_user_is_not_made_again(browser: Any, phone: Identity, ports: Ports) -> None:
    await browser.verify(await browser.approved(phone))
    await accounts.delete(ports, phone.account)
    with pytest.raises(AccessDenied):
        await browser.sign_in()
    assert await ports.accounts.lookup(phone.account.jid) is None


async def test_at_the_cap_the_phone_chooses(browser: Any, phone: Identity, ports: Ports) -> None:
    full = with_policy(phone, max_sessions=2)
    other = await accounts.register(ports, phone.caller, RegisterRequest("ada"))
    await browser.scan(full)
    with pytest.raises(SessionLimit) as limit:
        await browser.approve(full, force=False)
    assert {session["id"] for session in limit.value.details["sessions"]} == {phone.session.id, other.session.id}
    await browser.verify(await browser.approve(full, force=False, replace_session=other.session.id))
    made = await qr_browser.sign_in(ports, full.caller, await browser.link())
    live = await ports.sessions.live(phone.account.id)
    assert {session.id for session in live} == {phone.session.id, made.session.id}


async def test_the_phone_that_approves_is_not_the_one_to_go(
    browser: Any, phone: Identity, ports: Ports, clock: Any
) -> None:
    full = with_policy(phone, max_sessions=2)
    clock.turn(1)
    await accounts.register(ports, phone.caller, RegisterRequest("ada"))
    await browser.verify(await browser.approved(full))
    made = await qr_browser.sign_in(ports, full.caller, await browser.link())
    live = await ports.sessions.live(phone.account.id)
    assert {session.id for session in live} == {phone.session.id, made.session.id}


async def test_a_cap_reached_after_the_approval_fails_the_link(browser: Any, phone: Identity, ports: Ports) -> None:
    tight = with_policy(phone, max_sessions=2)
    await browser.verify(await browser.approved(tight, force=False))
    await accounts.register(ports, phone.caller, RegisterRequest("ada"))
    with pytest.raises(SessionLimit):
        await qr_browser.sign_in(ports, tight.caller, await browser.link())
    assert (await browser.link()).failure == "session_limit"


async def test_of_scans_on_two_nodes_over_one_database_one_wins(
    browser: Any, ports: Ports, sign_up: SignUp, tmp_path: Path
) -> None:
    async with sqlite.open(tmp_path / "heliograph.db") as other_node:
        nodes = (ports, replace(ports, qr_links=other_node.qr_links))
        phones = [await sign_up(f"user-{number}") for number in range(10)]
        scans = [qr_phone.scan(nodes[n % 2], phones[n % 10], browser.codes.code, HOME) for n in range(40)]
        assert sorted(await outcomes(scans)) == ["already_used"] * 39 + ["ok"]
