"""Blocking between real clients (XEP-0191): nothing passes either way, and all comes back when it ends."""

from __future__ import annotations

from typing import Any

import pytest

NS = "urn:xmpp:blocking"
VCARD = "<vCard xmlns='vcard-temp'/>"
BLOCKED = "<blocked xmlns='urn:xmpp:blocking:errors'/>"


def block(*jids: str) -> str:
    return f"<block xmlns='{NS}'>{''.join(f'<item jid={jid!r}/>' for jid in jids)}</block>"


def unblock(*jids: str) -> str:
    return f"<unblock xmlns='{NS}'>{''.join(f'<item jid={jid!r}/>' for jid in jids)}</unblock>"


async def listed(client: Any) -> list[str]:
    answer = await client.ask(f"<blocklist xmlns='{NS}'/>")
    return [item.get("jid") for item in answer.element[0]]


async def texts(client: Any) -> list[str]:
    return [got.xml for got in await client.so_far()]


async def test_the_list_is_kept_and_answered(pair: Any, again: Any) -> None:
    ada, bob = pair
    assert await listed(ada) == []
    assert (await ada.ask(block(bob.bare, "elsewhere.example"), kind="set")).get("type") == "result"
    assert await listed(await again(ada)) == [bob.bare, "elsewhere.example"]
    assert (await ada.ask(unblock(bob.bare), kind="set")).get("type") == "result"
    assert (await ada.ask(unblock(), kind="set")).get("type") == "result"
    assert await listed(ada) == []


async def test_changes_are_pushed_to_the_resources_that_asked_for_the_list(pair: Any, again: Any) -> None:
    ada, bob = pair
    await listed(ada)
    tablet = await again(ada)
    await ada.so_far()
    await tablet.ask(block(bob.bare), kind="set")
    pushed = await ada.gets("iq", type="set")
    assert f"{block(bob.bare)}</iq>" in pushed.xml
    await ada.send(f"<iq type='result' id='{pushed.get('id')}'/>")
    await tablet.ask(unblock(), kind="set")
    assert f"<unblock xmlns='{NS}'/></iq>" in (await ada.gets("iq", type="set")).xml
    assert [got for got in await tablet.so_far() if got.name == "iq"] == []


async def test_presence_ends_on_both_sides_and_comes_back(pair: Any) -> None:
    ada, bob = pair
    await ada.ask(block(bob.bare), kind="set")
    assert await texts(bob) == [f"<presence from='{ada.jid}' type='unavailable' to='{bob.jid}'/>"]
    await ada.send("<presence><show>away</show></presence>")
    await bob.send("<presence><show>xa</show></presence>")
    assert [got.get("from") for got in await ada.so_far()] == [ada.jid]
    assert [got.get("from") for got in await bob.so_far()] == [bob.jid]
    await ada.ask(unblock(bob.bare), kind="set")
    assert await texts(bob) == [f"<presence from='{ada.jid}' to='{bob.jid}'><show>away</show></presence>"]


async def test_the_one_who_blocks_sees_the_blocked_go_and_come(pair: Any) -> None:
    ada, bob = pair
    await ada.send(f"<iq type='set' id='b'>{block(bob.bare)}</iq>")
    assert (await ada.gets("presence", from_=bob.jid)).get("type") == "unavailable"
    await ada.send(f"<iq type='set' id='u'>{unblock(bob.bare)}</iq>")
    assert (await ada.gets("presence", from_=bob.jid)).get("type") is None


async def test_who_connects_later_sees_no_more_of_the_other(pair: Any, again: Any) -> None:
    ada, bob = pair
    await ada.ask(block(bob.bare), kind="set")
    await bob.so_far()
    phone = await heard_by_another(again, bob)
    assert [got.get("from") for got in phone] == [bob.jid]
    tablet = await heard_by_another(again, ada)
    assert {got.get("from") for got in tablet} == {ada.jid}
    await ada.send("</stream:stream>")
    await ada.end()
    assert [got for got in await bob.so_far() if got.get("from") == ada.jid] == []


async def heard_by_another(again: Any, client: Any) -> list[Any]:
    """What a further client hears when it comes, but of itself."""
    other = await again(client, is_present=False)
    await other.send("<presence/>")
    return [got for got in await other.so_far() if got.get("from") != other.jid]


@pytest.mark.parametrize("is_full", [False, True])
async def test_messages_fail_with_the_error_of_each_side(pair: Any, is_full: bool) -> None:
    ada, bob = pair
    await ada.ask(block(bob.bare), kind="set")
    await bob.so_far()
    out, back = (bob.jid, ada.jid) if is_full else (bob.bare, ada.bare)
    await ada.send(f"<message to='{out}' type='chat' id='m1'><body>Hi</body></message>")
    mine = await ada.gets("message", id="m1")
    assert (mine.condition, mine.get("from"), BLOCKED in mine.xml) == ("not-acceptable", out, True)
    await bob.send(f"<message to='{back}' type='chat' id='m2'><body>Hi</body></message>")
    theirs = await bob.gets("message", id="m2")
    assert (theirs.condition, theirs.get("from"), "blocking" in theirs.xml) == ("service-unavailable", back, False)
    assert await ada.so_far() == []
    assert await bob.so_far() == []


async def test_requests_fail_with_the_error_of_each_side(pair: Any) -> None:
    ada, bob = pair
    await ada.ask(block(bob.bare), kind="set")
    for to in (bob.bare, bob.jid):
        assert (await ada.ask(VCARD, to=to)).condition == "not-acceptable"
    for to in (ada.bare, ada.jid):
        assert (await bob.ask(VCARD, to=to)).condition == "service-unavailable"
    await ada.send("</stream:stream>")
    await ada.end()
    assert (await bob.ask(VCARD, to=ada.bare)).condition == "service-unavailable"


async def test_an_answer_to_an_earlier_request_does_not_pass(pair: Any) -> None:
    ada, bob = pair
    await bob.send(f"<iq type='get' id='q' to='{ada.jid}'><query xmlns='jabber:iq:version'/></iq>")
    await ada.gets("iq", id="q")
    await ada.ask(block(bob.bare), kind="set")
    await bob.so_far()
    await ada.send(f"<iq type='result' id='q' to='{bob.jid}'/>")
    assert await ada.so_far() == []
    assert await bob.so_far() == []


async def test_subscriptions_are_an_error_one_way_and_silence_the_other(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.ask(block(bob.bare), kind="set")
    await ada.send(f"<presence type='subscribe' id='s' to='{bob.bare}'/>")
    assert (await ada.gets("presence", id="s")).condition == "not-acceptable"
    await bob.send(f"<presence type='subscribe' to='{ada.bare}'/>", f"<presence type='probe' to='{ada.bare}'/>")
    assert await bob.so_far() == []
    assert await ada.so_far() == []
    await ada.ask(unblock(), kind="set")
    assert [got.get("type") for got in await heard_by_another(again, ada) if got.get("from") == bob.bare] == []


async def test_directed_presence_is_taken_back(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(f"<presence to='{bob.jid}'/>")
    await bob.send(f"<presence to='{ada.bare}'/>")
    for client in (ada, bob, ada, bob):  # what each has sent is at the server, then with the other
        await client.so_far()
    await ada.send(f"<iq type='set' id='b'>{block(bob.bare)}</iq>")
    assert (await ada.gets("presence", from_=bob.jid)).get("type") == "unavailable"
    assert (await bob.gets("presence", from_=ada.jid)).get("type") == "unavailable"


async def test_one_resource_alone_can_be_blocked(pair: Any, again: Any) -> None:
    ada, bob = pair
    phone = await again(bob, "phone")
    await ada.ask(block(phone.jid), kind="set")
    assert [got.get("type") for got in await phone.so_far() if got.get("from") == ada.jid] == ["unavailable"]
    assert [got for got in await bob.so_far() if got.get("from") == ada.jid] == []
    await bob.send(f"<message to='{ada.jid}' type='chat'><body>Hi</body></message>")
    await ada.gets("message", from_=bob.jid)
    await phone.send(f"<message to='{ada.jid}' type='chat' id='p'><body>Hi</body></message>")
    assert (await phone.gets("message", id="p")).condition == "service-unavailable"


async def test_blocking_the_domain_leaves_the_server_and_oneself(pair: Any, again: Any) -> None:
    ada, bob = pair
    tablet = await again(ada)
    assert (await ada.ask(block(ada.host), kind="set")).get("type") == "result"
    assert (await ada.ask(VCARD, to=bob.bare)).condition == "not-acceptable"
    await ada.so_far()  # the server answers a ping
    await tablet.so_far()
    await tablet.send("<presence><show>dnd</show></presence>")
    assert (await ada.gets("presence", from_=tablet.jid)).get("type") is None


async def test_wrong_requests_are_refused(pair: Any) -> None:
    ada, bob = pair
    assert (await ada.ask(block(), kind="set")).condition == "bad-request"
    assert (await ada.ask(block("@"), kind="set")).condition == "jid-malformed"
    assert (await ada.ask(block(ada.bare), kind="set")).condition == "not-allowed"
    assert (await ada.ask(block(bob.bare), kind="set", to=bob.bare)).condition == "forbidden"
    assert (await ada.ask(f"<blocklist xmlns='{NS}'/>", to=bob.bare)).condition == "forbidden"


async def test_the_server_says_that_it_can_block(pair: Any) -> None:
    ada, _bob = pair
    info = await ada.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to=ada.host)
    assert f"<feature var='{NS}'/>" in info.xml


async def test_profile_events_stop_and_are_made_up_for(pair: Any, place: Any) -> None:
    ada, bob = pair
    query = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/>"
    query += "<feature var='urn:xmpp:vcard4+notify'/></query>"
    for client in (ada, bob):
        caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='unverified'/>"
        await client.send(f"<presence>{caps}</presence>")
        asked = await client.gets("iq", type="get")
        await client.send(f"<iq type='result' id='{asked.get('id')}' to='{client.host}'>{query}</iq>")
        await client.so_far()
    await ada.ask(block(bob.bare), kind="set")
    await ada.so_far()
    await bob.so_far()
    await place.call("PATCH", "/profile", ada.account, {"nickName": "Ada"})
    await place.call("PATCH", "/profile", bob.account, {"nickName": "Bob"})
    assert [got.get("from") for got in await bob.so_far()] == [bob.bare]
    assert [got.get("from") for got in await ada.so_far()] == [ada.bare]
    await ada.send(f"<iq type='set' id='u'>{unblock(bob.bare)}</iq>")
    assert "<text>Ada</text>" in (await bob.gets("message", from_=ada.bare)).xml
    assert "<text>Bob</text>" in (await ada.gets("message", from_=bob.bare)).xml


async def test_over_http_the_same_list_is_meant(pair: Any, place: Any) -> None:
    ada, bob = pair
    await place.call("PUT", f"/blocked/{bob.account.username}", ada.account)
    assert (await bob.gets("presence", from_=ada.jid)).get("type") == "unavailable"
    assert await listed(ada) == [bob.bare]
