"""The roster and presence subscriptions, between plain clients (RFC 6121, sections 2 and 3)."""

from __future__ import annotations

from typing import Any

import pytest

ROSTER = "jabber:iq:roster"


def query(*items: str) -> str:
    return f"<query xmlns='{ROSTER}'>{''.join(items)}</query>"


async def roster(client: Any) -> dict[str, Any]:
    """Ask for the roster; its items by JID. From now on the client gets pushes."""
    answer = await client.ask(query())
    assert answer.get("type") == "result"
    return {item.get("jid"): item for item in answer.element[0]}


def state(item: Any) -> str:
    ask = item.get("ask")
    return item.get("subscription") + (f" {ask}" if ask else "")


def pushed(got: Any) -> Any:
    """The item of a push, after a look at its form."""
    assert (got.name, got.get("type")) == ("iq", "set")
    assert got.get("id")
    (item,) = got.element[0]
    return item


async def test_an_empty_roster_is_an_empty_query(join: Any) -> None:
    ada = await join()
    await ada.send(f"<iq type='get' id='r1'>{query()}</iq>")
    assert (await ada.next()).xml == f"<iq type='result' id='r1' to='{ada.jid}'><query xmlns='{ROSTER}'/></iq>"


async def test_an_item_is_set_pushed_to_all_interested_resources_changed_and_removed(join: Any, again: Any) -> None:
    ada, bob = await join("ada", "one"), await join("bob")
    tablet, indifferent = await again(ada, "two"), await again(ada, "three")
    await roster(ada)
    await roster(tablet)
    await ada.so_far()

    item = f"<item jid='{bob.bare}' name='Bob &amp; Co'><group>Friends</group><group>Work</group></item>"
    answer = await ada.ask(query(item), kind="set")
    assert answer.xml == f"<iq type='result' id='{answer.get('id')}' to='{ada.jid}'/>"
    push = await tablet.next()
    assert push.get("to") == tablet.jid
    assert push.get("from") in (None, tablet.bare)
    got = pushed(push)
    assert got.attrib == {"jid": bob.bare, "subscription": "none", "name": "Bob & Co"}
    assert [group.text for group in got] == ["Friends", "Work"]
    assert {jid: state(each) for jid, each in (await roster(ada)).items()} == {bob.bare: "none"}

    await ada.ask(query(f"<item jid='{bob.bare}'/>"), kind="set")
    got = pushed(await tablet.next())
    assert got.attrib == {"jid": bob.bare, "subscription": "none"}
    assert len(got) == 0

    await tablet.ask(query(f"<item jid='{bob.bare}' subscription='remove'/>"), kind="set")
    assert pushed((await ada.so_far())[-1]).attrib == {"jid": bob.bare, "subscription": "remove"}
    assert await roster(tablet) == {}
    assert await indifferent.so_far() == []
    assert await bob.so_far() == []


async def test_the_one_who_sets_an_item_gets_the_push_too(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await roster(ada)
    await ada.send(f"<iq type='set' id='1'>{query(f'<item jid={bob.bare!r}/>')}</iq>")
    first, second = await ada.next(), await ada.next()
    kinds = {got.get("type"): got for got in (first, second)}
    assert pushed(kinds["set"]).get("jid") == bob.bare
    assert kinds["result"].get("id") == "1"
    await ada.send(f"<iq type='result' id='{kinds['set'].get('id')}'/>")  # as a client should
    assert await ada.so_far() == []


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ("", "bad-request"),
        ("<item/>", "bad-request"),
        ("<item jid='{bob}'/><item jid='{bob}'/>", "bad-request"),
        ("<item jid='{bob}'><group/></item>", "not-acceptable"),
        ("<item jid='{bob}'><group>a</group><group>a</group></item>", "bad-request"),
        ("<item jid='{bob}' name='{long}'/>", "not-acceptable"),
        ("<item jid='@'/>", "jid-malformed"),
        ("<item jid='{ada}'/>", "bad-request"),
        ("<item jid='{bob}' subscription='remove'/>", "item-not-found"),
    ],
)
async def test_what_is_no_item_is_refused(join: Any, item: str, condition: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    filled = item.format(ada=ada.bare, bob=bob.bare, host=ada.host, long="x" * 1025)
    answer = await ada.ask(query(filled), kind="set")
    assert (answer.get("type"), answer.condition) == ("error", condition)
    assert await roster(ada) == {}


@pytest.mark.parametrize("kind", ["get", "set"])
async def test_nobody_sees_or_changes_the_roster_of_another(join: Any, kind: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    answer = await ada.ask(query(f"<item jid='{ada.bare}'/>" if kind == "set" else ""), kind=kind, to=bob.bare)
    assert (answer.error_type, answer.condition) == ("auth", "forbidden")


async def test_a_contact_that_the_api_makes_is_pushed_with_its_presence_to_both(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await roster(ada)
    await roster(bob)
    await befriend(ada, bob)
    for client, other in ((ada, bob), (bob, ada)):
        push, presence = await client.so_far()
        assert state(pushed(push)) == "both"
        assert presence.xml == f"<presence from='{other.jid}' to='{client.jid}'/>"


# ------------------------------------------------------------------------------------------------------- subscriptions


async def test_two_clients_subscribe_to_each_other(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await roster(ada)
    await roster(bob)
    await ada.send(f"<presence to='{bob.bare}' type='subscribe' id='s'><status>It is me</status></presence>")
    assert [state(pushed(got)) for got in await ada.so_far()] == ["none subscribe"]
    (request,) = await bob.so_far()  # the item is hidden from bob until he answers (3.1.3)
    assert request.xml == (
        f"<presence to='{bob.bare}' type='subscribe' id='s' from='{ada.bare}'><status>It is me</status></presence>"
    )
    assert await roster(bob) == {}

    await bob.send(f"<presence to='{ada.bare}' type='subscribed'/>")
    assert [state(pushed(got)) for got in await bob.so_far()] == ["from"]
    push, *presences = await ada.so_far()
    assert state(pushed(push)) == "to"
    assert sorted(got.xml for got in presences) == sorted(
        [
            f"<presence to='{ada.bare}' type='subscribed' from='{bob.bare}'/>",
            f"<presence from='{bob.jid}' to='{ada.jid}'/>",
        ]
    )

    await bob.send(f"<presence to='{ada.bare}' type='subscribe'/>")
    await bob.so_far()
    assert [got.get("type") for got in await ada.so_far() if got.name == "presence"] == ["subscribe"]
    await ada.send(f"<presence to='{bob.bare}' type='subscribed'/>")
    await ada.so_far()
    push, *presences = await bob.so_far()
    assert state(pushed(push)) == "both"
    assert {got.get("from") for got in presences} == {ada.bare, ada.jid}
    for client, other in ((ada, bob), (bob, ada)):
        assert {jid: state(item) for jid, item in (await roster(client)).items()} == {other.bare: "both"}


async def test_a_request_that_is_taken_back_leaves_no_trace_in_the_roster(join: Any) -> None:
    """An item that was never shown is not shown to be gone either (RFC 6121, section 3.1.3)."""
    ada, bob = await join("ada"), await join("bob")
    await roster(bob)
    await ada.send(f"<presence to='{bob.bare}' type='subscribe'/>", f"<presence to='{bob.bare}' type='unsubscribe'/>")
    await ada.so_far()
    assert [(got.name, got.get("type")) for got in await bob.so_far()] == [
        ("presence", "subscribe"),
        ("presence", "unsubscribe"),
    ]
    assert await roster(bob) == {}


async def test_who_is_asked_can_say_no(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await roster(ada)
    await ada.send(f"<presence to='{bob.bare}' type='subscribe'/>")
    await ada.so_far()
    await bob.send(f"<presence to='{ada.bare}' type='unsubscribed'/>")
    await bob.so_far()
    push, refusal = await ada.so_far()
    assert state(pushed(push)) == "none"
    assert refusal.xml == f"<presence to='{ada.bare}' type='unsubscribed' from='{bob.bare}'/>"


@pytest.mark.parametrize("kind", ["unsubscribe", "unsubscribed"])
async def test_a_subscription_ends_from_either_side(join: Any, befriend: Any, kind: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await roster(ada)
    await roster(bob)
    await ada.send(f"<presence to='{bob.bare}' type='{kind}'/>")
    mine, theirs = ("from", "to") if kind == "unsubscribe" else ("to", "from")
    own, other = await ada.so_far(), await bob.so_far()
    assert state(pushed(own[0])) == mine
    assert state(pushed(other[0])) == theirs
    seen_by_ada, seen_by_bob = ([got.xml for got in rest[1:]] for rest in (own, other))
    gone = "<presence from='{0.jid}' type='unavailable' to='{1.jid}'/>"
    told = f"<presence to='{bob.bare}' type='{kind}' from='{ada.bare}'/>"
    if kind == "unsubscribe":
        assert seen_by_ada == [gone.format(bob, ada)]
        assert seen_by_bob == [told]
    else:
        assert seen_by_ada == []
        assert sorted(seen_by_bob) == sorted([gone.format(ada, bob), told])


async def test_removing_an_item_ends_both_subscriptions(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await roster(bob)
    await ada.so_far()
    answer = await ada.ask(query(f"<item jid='{bob.bare}' subscription='remove'/>"), kind="set")
    assert answer.get("type") == "result"
    told = await bob.so_far()
    assert state(pushed(told[0])) == "none"
    assert f"<presence from='{ada.jid}' type='unavailable' to='{bob.jid}'/>" in [got.xml for got in told]
    await ada.send("<presence><show>away</show></presence>")
    await ada.so_far()
    assert await bob.so_far() == []


async def test_a_request_waits_for_its_answer_from_login_to_login(join: Any, place: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob", is_present=False)
    await ada.send(f"<presence to='{bob.bare}' type='subscribe'/>")
    await ada.so_far()
    assert await bob.so_far() == []
    await bob.send("<presence/>")
    request = f"<presence from='{ada.bare}' to='{bob.bare}' type='subscribe'/>"
    assert request in [got.xml for got in await bob.so_far()]
    later = await place.sign_in(bob.account)
    await later.send("<presence/>")
    assert request in [got.xml for got in await later.so_far()]
    await later.send(f"<presence to='{ada.bare}' type='subscribed'/>")
    await later.so_far()
    last = await place.sign_in(bob.account)
    await last.send("<presence/>")
    assert request not in [got.xml for got in await last.so_far()]


async def test_a_contact_approved_ahead_is_answered_by_the_server(join: Any) -> None:
    """RFC 6121, section 3.4."""
    ada, bob = await join("ada"), await join("bob")
    await roster(bob)
    await bob.send(f"<presence to='{ada.bare}' type='subscribed'/>")
    (push,) = await bob.so_far()
    assert pushed(push).get("approved") == "true"
    assert await ada.so_far() == []
    await ada.send(f"<presence to='{bob.bare}' type='subscribe'/>")
    told = await ada.so_far()
    assert [(got.get("from"), got.get("type")) for got in told if got.get("type")] == [(bob.bare, "subscribed")]
    assert (bob.jid, None) in [(got.get("from"), got.get("type")) for got in told]
    assert [state(pushed(got)) for got in await bob.so_far()] == ["from"]


async def test_a_request_to_oneself_is_refused(join: Any) -> None:
    ada = await join()
    for to in (ada.bare, ada.jid):
        await ada.send(f"<presence to='{to}' type='subscribe' id='1'/>")
        refusal = await ada.next()
        assert (refusal.name, refusal.get("type")) == ("presence", "error"), to
    assert await roster(ada) == {}


async def test_a_request_to_a_full_jid_is_one_to_the_account(join: Any) -> None:
    """RFC 6121, section 3.1.2."""
    ada, bob = await join("ada"), await join("bob")
    await ada.send(f"<presence to='{bob.jid}' type='subscribe'/>")
    await ada.so_far()
    (request,) = await bob.so_far()
    assert (request.get("to"), request.get("from")) == (bob.bare, ada.bare)


async def test_whoever_registers_a_name_later_is_not_told_who_asked_for_it(place: Any, join: Any) -> None:
    ada = await join("ada")
    await ada.ask("<query xmlns='jabber:iq:roster'/>")
    name = place.name("later")
    await ada.send(f"<presence type='subscribe' to='{name}@{ada.host}'/>")
    (pushed,) = [got for got in await ada.so_far() if got.name == "iq"]
    assert "ask='subscribe'" in pushed.xml
    late = await place.sign_in(await place.register(name))
    await late.send("<presence/>")
    assert [got.get("type") for got in await late.so_far()] == [None]
