"""Subscriptions to nodes and whom their owners name (XEP-0060, sections 4, 6 and 8), between real clients."""

from __future__ import annotations

from typing import Any

import pytest

PUBSUB = "http://jabber.org/protocol/pubsub"
NODE = "urn:example:note"


def form(name: str, options: dict[str, str]) -> str:
    fields = "".join(f"<field var='pubsub#{var}'><value>{value}</value></field>" for var, value in options.items())
    kind = f"<field var='FORM_TYPE' type='hidden'><value>{PUBSUB}#{name}</value></field>"
    return f"<x xmlns='jabber:x:data' type='submit'>{kind}{fields}</x>"


def publish(item_id: str, **options: str) -> str:
    wanted = f"<publish-options>{form('publish-options', options)}</publish-options>" if options else ""
    item = f"<item id='{item_id}'><note xmlns='{NODE}'>{item_id}</note></item>"
    return f"<pubsub xmlns='{PUBSUB}'><publish node='{NODE}'>{item}</publish>{wanted}</pubsub>"


def subscribe(jid: str, action: str = "subscribe", node: str = NODE) -> str:
    return f"<pubsub xmlns='{PUBSUB}'><{action} node='{node}' jid='{jid}'/></pubsub>"


def owner(content: str) -> str:
    return f"<pubsub xmlns='{PUBSUB}#owner'>{content}</pubsub>"


def configure(**options: str) -> str:
    return owner(f"<configure node='{NODE}'>{form('node_config', options)}</configure>")


def name(jid: str, affiliation: str) -> str:
    return owner(f"<affiliations node='{NODE}'><affiliation jid='{jid}' affiliation='{affiliation}'/></affiliations>")


ITEMS = f"<pubsub xmlns='{PUBSUB}'><items node='{NODE}'/></pubsub>"
SUBSCRIPTIONS = f"<pubsub xmlns='{PUBSUB}'><subscriptions/></pubsub>"
AFFILIATIONS = f"<pubsub xmlns='{PUBSUB}'><affiliations/></pubsub>"


async def done(client: Any, payload: str, to: str | None = None) -> None:
    answer = await client.ask(payload, kind="set", to=to)
    assert answer.get("type") == "result", answer.xml


async def told(client: Any) -> list[str]:
    """What events say that have come."""
    return [
        got.xml.partition("#event'>")[2].partition("</event>")[0]
        for got in await client.so_far()
        if got.name == "message"
    ]


def news(item_id: str) -> str:
    return f"<items node='{NODE}'><item id='{item_id}'><note xmlns='{NODE}'>{item_id}</note></item></items>"


async def listed(client: Any, request: str, to: str | None = None) -> list[dict[str, str]]:
    return [dict(each.attrib) for each in (await client.ask(request, to=to)).element[0][0]]


async def test_who_subscribes_is_told_without_being_a_contact(join: Any, again: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    silent = await again(eve, is_present=False)
    await done(ada, publish("1", access_model="open"))
    answer = await eve.ask(subscribe(eve.bare), kind="set", to=ada.bare)
    assert f"<subscription node='{NODE}' jid='{eve.bare}' subscription='subscribed'/>" in answer.xml
    assert await told(eve) == [news("1")]
    await done(silent, subscribe(silent.jid), ada.bare)
    assert await told(silent) == [news("1")]
    await done(ada, publish("2"))
    assert await told(eve) == [news("2")]
    assert await told(silent) == [news("2")]
    own = [{"node": NODE, "jid": jid, "subscription": "subscribed"} for jid in (eve.bare, silent.jid)]
    assert await listed(eve, SUBSCRIPTIONS, ada.bare) == own
    of_node = await listed(ada, owner(f"<subscriptions node='{NODE}'/>"))
    assert [each["jid"] for each in of_node] == [eve.bare, silent.jid]
    await done(eve, subscribe(eve.bare, "unsubscribe"), ada.bare)
    assert (
        await eve.ask(subscribe(eve.bare, "unsubscribe"), kind="set", to=ada.bare)
    ).condition == "unexpected-request"
    await done(ada, owner(f"<delete node='{NODE}'/>"))
    assert await told(eve) == []
    assert await told(silent) == [f"<delete node='{NODE}'/>"]
    assert await listed(eve, SUBSCRIPTIONS, ada.bare) == []


async def test_a_resource_that_asks_twice_is_told_once(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='unverified'/>"
    await bob.send(f"<presence>{caps}</presence>")
    asked = await bob.gets("iq", type="get")
    query = f"<query xmlns='http://jabber.org/protocol/disco#info'><feature var='{NODE}+notify'/></query>"
    await bob.send(f"<iq type='result' id='{asked.get('id')}' to='{bob.host}'>{query}</iq>")
    await done(ada, owner_create())
    await done(bob, subscribe(bob.bare), ada.bare)
    await done(bob, subscribe(bob.jid), ada.bare)
    await done(ada, publish("1"))
    assert await told(bob) == [news("1")]


def owner_create() -> str:
    return f"<pubsub xmlns='{PUBSUB}'><create node='{NODE}'/></pubsub>"


@pytest.mark.parametrize("is_configured", [True, False])
async def test_a_subscription_is_over_with_the_access(join: Any, befriend: Any, is_configured: bool) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await done(ada, publish("1"))
    await done(bob, subscribe(bob.bare), ada.bare)
    await bob.so_far()
    if is_configured:
        await done(ada, configure(access_model="whitelist"))
    else:
        await ada.send(f"<presence type='unsubscribed' to='{bob.bare}'/>")
        await ada.so_far()
    assert await listed(bob, SUBSCRIPTIONS, ada.bare) == []
    await done(ada, publish("2"))
    assert await told(bob) == []
    assert await listed(ada, owner(f"<subscriptions node='{NODE}'/>")) == []
    refused = await bob.ask(subscribe(bob.bare), kind="set", to=ada.bare)
    assert refused.condition == ("not-allowed" if is_configured else "not-authorized")


async def test_who_becomes_a_contact_again_has_to_subscribe_again(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await done(ada, publish("1"))
    await done(bob, subscribe(bob.bare), ada.bare)
    await ada.send(f"<presence type='unsubscribed' to='{bob.bare}'/>")
    await ada.so_far()
    await ada.ask(AFFILIATIONS)
    await befriend(bob, ada)
    await done(ada, publish("2"))
    await bob.so_far()
    assert await listed(bob, SUBSCRIPTIONS, ada.bare) == []


async def test_nobody_subscribes_another_or_to_what_is_not_there(join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    await done(ada, publish("1", access_model="open"))
    for jid in (ada.bare, "eve@elsewhere.example"):
        refused = await eve.ask(subscribe(jid), kind="set", to=ada.bare)
        assert (refused.condition, "<invalid-jid " in refused.xml) == ("bad-request", True)
        assert (await eve.ask(subscribe(jid, "unsubscribe"), kind="set", to=ada.bare)).condition == "forbidden"
    for target in (ada.bare, f"nobody@{ada.host}"):
        missing = await eve.ask(subscribe(eve.bare, node="urn:none"), kind="set", to=target)
        assert missing.condition == "item-not-found"
    assert (
        await eve.ask(subscribe(eve.bare, node="urn:xmpp:vcard4"), kind="set", to=ada.bare)
    ).condition == "not-allowed"


async def test_blocking_keeps_a_subscription_silent(join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    await done(ada, publish("1", access_model="open"))
    for jid in (eve.bare, eve.jid):
        await done(eve, subscribe(jid), ada.bare)
    await eve.so_far()
    await done(eve, f"<block xmlns='urn:xmpp:blocking'><item jid='{ada.bare}'/></block>")
    await done(ada, publish("2"))
    assert await told(eve) == []
    await done(eve, "<unblock xmlns='urn:xmpp:blocking'/>")
    await done(ada, f"<block xmlns='urn:xmpp:blocking'><item jid='{eve.bare}'/></block>")
    await done(ada, publish("3"))
    assert await told(eve) == []
    assert (await eve.ask(subscribe(eve.bare), kind="set", to=ada.bare)).condition == "service-unavailable"


async def test_a_node_for_groups_is_seen_by_contacts_in_them(join: Any, befriend: Any) -> None:
    ada, bob, kim = await join("ada"), await join("bob"), await join("kim")
    for friend, group in ((bob, "Friends"), (kim, "Work")):
        await befriend(ada, friend)
        entry = f"<item jid='{friend.bare}'><group>{group}</group></item>"
        await done(ada, f"<query xmlns='jabber:iq:roster'>{entry}</query>")
    await done(ada, publish("1", access_model="roster", roster_groups_allowed="Friends"))
    assert "<note " in (await bob.ask(ITEMS, to=ada.bare)).xml
    refused = await kim.ask(ITEMS, to=ada.bare)
    assert (refused.condition, "<not-in-roster-group " in refused.xml) == ("not-authorized", True)
    await done(bob, subscribe(bob.bare), ada.bare)
    await bob.so_far()
    await done(ada, publish("2"))
    assert await told(bob) == [news("2")]
    await done(ada, f"<query xmlns='jabber:iq:roster'><item jid='{bob.bare}'/></query>")
    await done(ada, publish("3"))
    assert await told(bob) == []


async def test_a_whitelist_has_those_whom_the_owner_names(join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    await done(ada, publish("1", access_model="whitelist"))
    assert (await eve.ask(ITEMS, to=ada.bare)).condition == "not-allowed"
    await done(ada, name(eve.bare, "member"))
    assert "<note " in (await eve.ask(ITEMS, to=ada.bare)).xml
    assert await listed(eve, AFFILIATIONS, ada.bare) == [{"node": NODE, "affiliation": "member"}]
    named = await listed(ada, owner(f"<affiliations node='{NODE}'/>"))
    assert [(each["jid"], each["affiliation"]) for each in named] == [(ada.bare, "owner"), (eve.bare, "member")]
    await done(eve, subscribe(eve.bare), ada.bare)
    await eve.so_far()
    await done(ada, name(eve.bare, "none"))
    await done(ada, publish("2"))
    assert await told(eve) == []
    await done(ada, configure(access_model="open"))
    await done(ada, name(eve.bare, "outcast"))
    assert (await eve.ask(ITEMS, to=ada.bare)).condition == "forbidden"
    for request, condition in (
        (name(ada.bare, "none"), "bad-request"),
        (name(eve.bare, "publisher"), "not-acceptable"),
        (name(f"nobody@{ada.host}", "member"), "item-not-found"),
    ):
        assert (await ada.ask(request, kind="set")).condition == condition
    assert (await eve.ask(name(eve.bare, "member"), kind="set", to=ada.bare)).condition == "forbidden"


async def test_the_owner_ends_subscriptions_and_begins_none_for_others(join: Any) -> None:
    def wanted(jid: str, value: str) -> str:
        entry = f"<subscription jid='{jid}' subscription='{value}'/>"
        return owner(f"<subscriptions node='{NODE}'>{entry}</subscriptions>")

    ada, eve = await join("ada"), await join("eve")
    await done(ada, publish("1", access_model="open"))
    assert (await ada.ask(wanted(eve.bare, "subscribed"), kind="set")).condition == "not-acceptable"
    await done(eve, subscribe(eve.bare), ada.bare)
    assert await told(eve) == [news("1")]
    await done(ada, wanted(eve.bare, "none"))
    await done(ada, publish("2"))
    assert await told(eve) == []


async def test_who_has_subscribed_gets_the_newest_item_on_coming_back(join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    await done(ada, publish("1", access_model="open"))
    await done(eve, subscribe(eve.bare), ada.bare)
    await eve.so_far()
    await done(ada, publish("2"))
    assert await told(eve) == [news("2")]
    await eve.send("<presence type='unavailable'/>", "<presence/>")
    assert await told(eve) == [news("2")]
    await done(eve, f"<block xmlns='urn:xmpp:blocking'><item jid='{ada.bare}'/></block>")
    await eve.send("<presence type='unavailable'/>", "<presence/>")
    assert await told(eve) == []


async def test_a_node_may_be_told_of_without_payloads_and_have_a_title(join: Any) -> None:
    ada = await join("ada")
    options = {"deliver_payloads": "0", "title": "Notes", "item_expire": "max", "publish_model": "publishers"}
    await done(ada, publish("1", **options))
    await done(ada, subscribe(ada.bare))
    assert await told(ada) == [f"<items node='{NODE}'><item id='1'/></items>"]
    await done(ada, publish("2", **options))
    assert await told(ada) == [f"<items node='{NODE}'><item id='2'/></items>"]
    shown = await ada.ask(owner(f"<configure node='{NODE}'/>"))
    assert "<field var='pubsub#title' type='text-single'><value>Notes</value></field>" in shown.xml
    info = await ada.ask(f"<query xmlns='http://jabber.org/protocol/disco#info' node='{NODE}'/>", to=ada.bare)
    assert f"<value>{PUBSUB}#meta-data</value>" in info.xml
    assert "<field var='pubsub#title' type='text-single'><value>Notes</value></field>" in info.xml
    for option in ({"publish_model": "open"}, {"item_expire": "60"}, {"access_model": "authorize"}):
        assert (await ada.ask(configure(**option), kind="set")).condition == "not-acceptable"
