"""The end of a QR sign-in: one delivery, also over a lost socket; and the life of the session that came of it."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core import audit, qr_browser, qr_phone, sessions, tokens
from heliograph.core.apps import Caller
from heliograph.core.ports import Ports
from heliograph.core.qr_login import State
from heliograph.core.tokens import Identity
from heliograph.errors import (
    AccessDenied,
    AlreadyUsed,
    AuthorizationPending,
    ExpiredToken,
    HeliographError,
    TokenRevoked,
)

DAY_S = 86_400


async def test_a_credential_is_delivered_once(browser: Any, phone: Identity) -> None:
    made = await browser.signed_in(phone)
    assert (await browser.deliver(made)).state is State.DELIVERED
    assert (await browser.link()).sealed is None
    with pytest.raises(AlreadyUsed):
        await browser.resume("socket 2")
    with pytest.raises(AlreadyUsed):
        await qr_browser.confirm(browser.ports, browser.id, browser.holder)


async def test_a_link_gives_one_session(browser: Any, phone: Identity) -> None:
    await browser.verify(await browser.approved(phone))
    verified = await browser.link()
    made = await qr_browser.sign_in(browser.ports, browser.caller, verified)
    assert made.session.id == verified.linked_session_id
    await browser.deliver(made)
    with pytest.raises(AlreadyUsed):
        await qr_browser.sign_in(browser.ports, browser.caller, verified)
    live = await browser.ports.sessions.live(phone.account.id)
    assert {session.id for session in live} == {phone.session.id, made.session.id}


async def test_a_credential_waits_sealed_until_the_browser_says_that_it_came(browser: Any, phone: Identity) -> None:
    made = await browser.signed_in(phone)
    assert (await browser.seal(made)).sealed == "sealed"
    for socket in ("socket 2", "socket 3"):  # sent to the first, and lost on the way
        link = await browser.resume(socket)
        assert (link.state, link.sealed) == (State.VERIFIED, "sealed")
    with pytest.raises(AlreadyUsed):
        await qr_browser.confirm(browser.ports, browser.id, "socket 2")
    done = await qr_browser.confirm(browser.ports, browser.id, "socket 3")
    assert (done.state, done.sealed) == (State.DELIVERED, None)


async def test_a_browser_cannot_say_so_before_there_is_a_credential(browser: Any, phone: Identity) -> None:
    with pytest.raises(AuthorizationPending):
        await qr_browser.confirm(browser.ports, browser.id, browser.holder)
    made = await browser.signed_in(phone)
    with pytest.raises(AuthorizationPending):
        await qr_browser.confirm(browser.ports, browser.id, browser.holder)
    assert (await browser.deliver(made)).state is State.DELIVERED


async def test_a_socket_that_was_replaced_leaves_the_credential_to_the_new_one(browser: Any, phone: Identity) -> None:
    made = await browser.signed_in(phone)
    link = await browser.resume("socket 2")
    assert link.sealed is None  # it is being made
    assert (await browser.seal(made)).holder == "socket 2"
    with pytest.raises(AlreadyUsed):
        await qr_browser.confirm(browser.ports, browser.id, "socket 1")
    assert (await qr_browser.confirm(browser.ports, browser.id, "socket 2")).state is State.DELIVERED


async def test_other_processes_tell_their_own_connections_of_the_session(
    browser: Any, phone: Identity, engine: Any
) -> None:
    made = await browser.signed_in(phone)
    await browser.deliver(made)
    for reaches_all in (False, True):  # one that reaches all connections has told of it where the session was made
        engine.reaches_all = reaches_all
        engine.told.clear()
        await audit.follow(browser.ports, {})
        announced = [told[1:] for told in engine.told if told[0] == "announce_session"]
        assert announced == ([] if reaches_all else [(phone.account.jid, made.session)])


async def test_a_denial_at_the_last_moment_ends_the_new_session(browser: Any, phone: Identity) -> None:
    made = await browser.signed_in(phone)
    await qr_phone.deny(browser.ports, phone, browser.id)
    with pytest.raises(AccessDenied):
        await browser.seal(made)
    assert [session.id for session in await browser.ports.sessions.live(phone.account.id)] == [phone.session.id]


async def test_a_credential_waits_a_minute(browser: Any, phone: Identity, clock: Any) -> None:
    await browser.seal(await browser.signed_in(phone))
    clock.turn(60)
    assert (await browser.link()).state is State.EXPIRED
    with pytest.raises(ExpiredToken):
        await browser.resume("socket 2")


@pytest.mark.parametrize("secret", ["", "x" * 43])
async def test_a_link_is_resumed_with_its_secret_alone(browser: Any, secret: str) -> None:
    with pytest.raises(AccessDenied):
        await browser.resume("socket 2", secret)
    assert (await browser.link()).holder == "socket 1"


async def test_a_link_is_resumed_by_its_own_app_alone(browser: Any, backend: Caller) -> None:
    with pytest.raises(AccessDenied):
        await browser.resume("socket 2", caller=backend)


async def test_a_replaced_socket_has_no_say(browser: Any, phone: Identity) -> None:
    await browser.resume("socket 2")
    for call in (browser.rotate(), browser.verify("00"), qr_browser.cancel(browser.ports, browser.id, "socket 1")):
        with pytest.raises(AlreadyUsed):
            await call


async def test_a_cancelled_link_cannot_be_scanned(browser: Any, phone: Identity) -> None:
    await qr_browser.cancel(browser.ports, browser.id, browser.holder)
    with pytest.raises(ExpiredToken):
        await browser.scan(phone)


async def test_the_bus_tells_of_each_step(browser: Any, phone: Identity) -> None:
    heard: list[int] = []
    hush = browser.ports.bus.listen(qr_browser.topic(browser.id), lambda: heard.append(1))
    code = await browser.approved(phone)
    assert len(heard) == 2
    await browser.verify(code)
    await browser.seal(await browser.sign_in())
    assert len(heard) == 3
    hush()
    with pytest.raises(HeliographError):
        await browser.scan(phone)
    assert len(heard) == 3


async def test_a_linked_session_that_idles_is_ended_and_others_stay(
    browser: Any, phone: Identity, ports: Ports, trial: Caller, clock: Any
) -> None:
    made = await browser.signed_in(phone)
    clock.turn(29 * DAY_S)
    assert await sessions.end_idle(ports, 30.0 * DAY_S) == 0
    clock.turn(2 * DAY_S)
    assert await sessions.end_idle(ports, 30.0 * DAY_S) == 1
    assert await sessions.end_idle(ports, 30.0 * DAY_S) == 0
    assert [session.id for session in await ports.sessions.live(phone.account.id)] == [phone.session.id]
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, trial, made.tokens.access_token)


async def test_links_are_forgotten_some_time_after_their_end(browser: Any, ports: Ports, clock: Any) -> None:
    assert await ports.qr_links.forget(clock.now(), clock.now(), 100) == 0
    clock.turn(601)
    assert await ports.qr_links.forget(clock.now(), clock.now(), 100) == 1
    assert await ports.qr_links.lookup(browser.id) is None


async def test_a_session_that_nobody_delivers_ends_with_its_link_and_the_trail_alone_is_told(
    browser: Any, phone: Identity, clock: Any, engine: Any, trial: Caller
) -> None:
    ports = browser.ports
    made = await browser.signed_in(phone)  # and then the process is gone
    assert await qr_browser.expire_unclaimed(ports) == 0
    clock.turn(60)
    told = len(engine.told)
    assert await qr_browser.expire_unclaimed(ports) == 1
    assert await qr_browser.expire_unclaimed(ports) == 0
    assert [session.id for session in await ports.sessions.live(phone.account.id)] == [phone.session.id]
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, trial, made.tokens.access_token)
    assert engine.told[told:] == []
    events = [entry.event for entry in await ports.audit.chain(phone.account.app_id, 0, 100)][-2:]
    assert [event.kind for event in events] == ["qr.expired", "session.ended"]
    assert (events[1].session_id, events[1].facts) == (made.session.id, {"reason": "unclaimed"})


async def test_a_credential_of_which_the_browser_never_says_that_it_came_is_good_for_nothing(
    browser: Any, phone: Identity, clock: Any
) -> None:
    made = await browser.signed_in(phone)
    await browser.seal(made)
    clock.turn(60)
    assert await qr_browser.expire_unclaimed(browser.ports) == 1
    assert await browser.ports.sessions.lookup(made.session.id) is None


async def test_a_delivered_session_stays_when_its_link_is_forgotten(browser: Any, phone: Identity, clock: Any) -> None:
    made = await browser.signed_in(phone)
    await browser.deliver(made)
    clock.turn(601)
    assert await qr_browser.expire_unclaimed(browser.ports) == 0
    assert await browser.ports.qr_links.forget(clock.now(), clock.now(), 100) == 1
    assert await browser.ports.sessions.lookup(made.session.id) is not None


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_a_denial_before_the_delivery_takes_the_session_along(
    browser: Any, phone: Identity, is_sealed: bool
) -> None:
    made = await browser.signed_in(phone)
    if is_sealed:
        await browser.seal(made)
    await qr_phone.deny(browser.ports, phone, browser.id)
    assert await browser.ports.sessions.lookup(made.session.id) is None
