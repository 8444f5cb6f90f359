"""Ending sessions: their streams close and are told why, and no other does (RFC 6120, section 4.9)."""

from __future__ import annotations

import asyncio
import logging
import time
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest
from scramp import ScramClient

from patience import PATIENCE_S

log = logging.getLogger(__name__)

NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
REFUSED = f"<failure xmlns='{NS_SASL}'><not-authorized/></failure>"
BIND = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
SOON_MS = 10_000  # what is promised is 50 ms; a busy machine must not fail the test


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def plain(account: Any) -> str:
    token = base64(f"\0{account.username}\0{account.password}")
    return f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{token}</auth>"


def farewell(condition: str, reason: str) -> tuple[str, str]:
    """How a stream ends that is told why: before and behind the sentence for a person."""
    return (
        f"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text ",
        f"</text><ended xmlns='urn:heliograph:session:1' reason='{reason}'/></stream:error></stream:stream>",
    )


async def is_told(client: Any, condition: str, reason: str, since: float) -> None:
    """The stream of a client ended with the reason, soon."""
    text = await client.end()
    took_ms = (time.perf_counter() - since) * 1000
    log.info("%s: told after %.1f ms", reason, took_ms)
    start, end = farewell(condition, reason)
    assert start in text
    assert text.endswith(end)
    assert took_ms < SOON_MS


async def is_refused(place: Any, account: Any) -> bool:
    wire = await place.open(account)
    await wire.send(plain(account))
    return bool(await wire.until("</failure>") == REFUSED)


async def test_ending_one_session_closes_its_stream_and_no_other(
    place: Any, join: Any, again: Any, befriend: Any
) -> None:
    ada, bob = await join("ada", "one"), await join("bob")
    tablet = await again(ada, "two", has_own_session=True)
    await befriend(ada, bob)
    await tablet.so_far()
    await bob.so_far()
    since = time.perf_counter()
    await place.call("DELETE", f"/sessions/{ada.account.session_id}", tablet.account)
    await is_told(ada, "not-authorized", "ended_by_user", since)
    gone = f"<presence from='{ada.jid}' type='unavailable' to="
    assert [got.xml for got in await tablet.so_far()] == [f"{gone}'{tablet.jid}'/>"]
    assert [got.xml for got in await bob.so_far()] == [f"{gone}'{bob.jid}'/>"]
    assert await is_refused(place, ada.account)
    assert (await place.sign_in(tablet.account)).jid.startswith(ada.bare)


async def test_all_streams_of_the_session_close(place: Any, join: Any, again: Any) -> None:
    ada = await join("ada", "one")
    second = await again(ada, "two")
    since = time.perf_counter()
    await place.call("DELETE", "/sessions/current", ada.account)
    await is_told(ada, "not-authorized", "logout", since)
    text = await second.end()
    assert text.endswith(farewell("not-authorized", "logout")[1])


async def test_at_the_cap_the_least_recently_active_session_is_evicted(place: Any, join: Any, again: Any) -> None:
    ada = await join("ada", "one")
    clients = [ada, *[await again(ada, name, has_own_session=True) for name in ("two", "three")]]
    listed = (await place.call("GET", "/sessions", ada.account))["sessions"]
    by_session = {client.account.session_id: client for client in clients}
    assert len(listed) == len(by_session) == 3
    since = time.perf_counter()
    await place.register(ada.account.username)
    evicted = by_session.pop(listed[0]["id"])
    await is_told(evicted, "conflict", "evicted", since)
    for client in by_session.values():
        await client.so_far()  # still there
    assert await is_refused(place, evicted.account)


async def test_a_named_session_is_replaced(place: Any, join: Any, again: Any) -> None:
    ada = await join("ada", "one")
    tablet = await again(ada, "two", has_own_session=True)
    since = time.perf_counter()
    await place.register(ada.account.username, replaceSession=tablet.account.session_id)
    await is_told(tablet, "conflict", "replaced", since)
    await ada.so_far()


async def test_a_user_ends_all_other_sessions(place: Any, join: Any, again: Any) -> None:
    ada = await join("ada", "one")
    others = [await again(ada, name, has_own_session=True) for name in ("two", "three")]
    since = time.perf_counter()
    await place.call("POST", "/sessions/end-others", ada.account, {})
    for client in others:
        await is_told(client, "not-authorized", "ended_by_user", since)
        assert await is_refused(place, client.account)
    await ada.so_far()


async def test_blocking_a_user_closes_all_streams(place: Any, join: Any, again: Any) -> None:
    ada = await join("ada", "one")
    tablet = await again(ada, "two", has_own_session=True)
    since = time.perf_counter()
    await place.call("POST", f"/users/{ada.account.username}/block")
    for client in (ada, tablet):
        await is_told(client, "policy-violation", "admin_blocked", since)


@pytest.mark.parametrize("by", ["backend", "user"])
async def test_deleting_a_user_closes_all_streams_and_leaves_nothing(
    place: Any, join: Any, again: Any, befriend: Any, by: str
) -> None:
    ada, bob = await join("ada", "one"), await join("bob")
    tablet = await again(ada, "two", has_own_session=True)
    await befriend(ada, bob)
    await bob.ask("<query xmlns='jabber:iq:roster'/>")
    await bob.so_far()
    since = time.perf_counter()
    if by == "backend":
        await place.call("DELETE", f"/users/{ada.account.username}")
    else:
        await place.call("DELETE", "/account", ada.account)
    for client in (ada, tablet):
        await is_told(client, "not-authorized", "account_deleted", since)
        assert await is_refused(place, client.account)
    told = [got.xml for got in await bob.so_far()]
    for client in (ada, tablet):
        assert told.count(f"<presence from='{client.jid}' type='unavailable' to='{bob.jid}'/>") == 1
    assert sum(f"<item jid='{ada.bare}' subscription='remove'/>" in xml for xml in told) == 1
    assert (await bob.ask("<query xmlns='jabber:iq:roster'/>")).element[0][:] == []


async def test_a_refresh_token_that_is_used_twice_ends_its_session(place: Any) -> None:
    body = {"userIdentifier": place.name("ada")}
    data = await place.call("POST", "/register", body=body)
    account = replace(await place.register(body["userIdentifier"]), password=data["password"])
    client = await place.sign_in(account)
    successor = await place.call("POST", "/tokens/refresh", body={"refreshToken": data["refreshToken"]})
    await place.call("POST", "/tokens/refresh", body={"refreshToken": successor["refreshToken"]})  # so it has arrived
    since = time.perf_counter()
    with pytest.raises(AssertionError, match="401"):
        await place.call("POST", "/tokens/refresh", body={"refreshToken": data["refreshToken"]})
    await is_told(client, "not-authorized", "token_reused", since)


# ------------------------------------------------------------------------------------ between the password and the bind


async def test_a_session_that_ends_before_the_bind_closes_the_stream_at_once(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire = await place.open(account)
    await wire.send(plain(account))
    await wire.until("/>")
    await place.call("DELETE", "/sessions/current", account)
    text = await wire.rest()
    assert text.startswith("<?xml version='1.0'?><stream:stream ")  # the stream that the client has not opened anew
    assert text.endswith(farewell("not-authorized", "logout")[1])


async def test_a_session_that_ends_while_its_password_is_proved_cannot_bind(place: Any) -> None:
    account = await place.register(place.name("ada"))
    header = place_header(account)
    client = ScramClient(["SCRAM-SHA-256"], account.username, account.password)
    wire = await place.open(account)
    await wire.send(f"<auth xmlns='{NS_SASL}' mechanism='SCRAM-SHA-256'>{base64(client.get_client_first())}</auth>")
    challenge = await wire.until("</challenge>")
    client.set_server_first(b64decode(challenge.split(">")[1].split("<")[0]).decode())
    await place.call("DELETE", "/sessions/current", account)
    response = f"<response xmlns='{NS_SASL}'>{base64(client.get_client_final())}</response>"
    await wire.send(response, header, BIND)
    text = await wire.rest()
    assert "<jid>" not in text
    assert text.endswith(farewell("not-authorized", "logout")[1])
    assert place.node.engine.router.resources(account.jid) == []


def place_header(account: Any) -> str:
    names = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    return f"<stream:stream {names} to='{account.jid.partition('@')[2]}' version='1.0'>"


@pytest.mark.parametrize("how", ["session ended", "connection lost", "stream ended"])
async def test_nothing_is_bound_for_a_stream_that_ends_in_the_middle_of_the_bind(
    place: Any, gated: Any, looked_up_at_bind: Any, becomes: Any, how: str
) -> None:
    engine = place.node.engine
    await becomes(lambda: engine.connections == 0)
    account = await place.register(place.name("ada"))
    await looked_up_at_bind(account)
    wire = await place.open(account)
    with gated("sign_ins", "signed_in") as gate:
        await wire.send(plain(account), place_header(account), BIND)
        async with asyncio.timeout(PATIENCE_S):
            await gate.entered.wait()
        if how == "session ended":
            await place.call("DELETE", "/sessions/current", account)
            assert (await wire.rest()).endswith(farewell("not-authorized", "logout")[1])
        elif how == "connection lost":
            wire.reset()
        else:
            await wire.send("</stream:stream>")
        if how != "stream ended":
            await becomes(lambda: engine.connections == 0)
        gate.opened.set()
        await gate.passed.wait()
    await becomes(lambda: engine.connections == 0)
    assert engine.router.resources(account.jid) == []
    assert engine.router.full == {}
    assert engine._admission == type(engine._admission)(
        engine.limits.connections_per_address_max, engine.limits.unauthenticated_per_address_max
    )
