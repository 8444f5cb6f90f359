"""Nodes of a user's own (XEP-0163, XEP-0060) between real clients."""

from __future__ import annotations

from typing import Any

import pytest

PUBSUB = "http://jabber.org/protocol/pubsub"
TUNE, BOOKMARKS = "http://jabber.org/protocol/tune", "urn:xmpp:bookmarks:1"
PRIVATE = {"access_model": "whitelist", "max_items": "max", "send_last_published_item": "never"}


def form(name: str, options: dict[str, str]) -> str:
    fields = "".join(f"<field var='pubsub#{var}'><value>{value}</value></field>" for var, value in options.items())
    kind = f"<field var='FORM_TYPE' type='hidden'><value>{PUBSUB}#{name}</value></field>"
    return f"<x xmlns='jabber:x:data' type='submit'>{kind}{fields}</x>"


def publish(node: str, item_id: str, text: str, options: dict[str, str] | None = None) -> str:
    wanted = f"<publish-options>{form('publish-options', options)}</publish-options>" if options else ""
    item = f"<item id='{item_id}'><tune xmlns='urn:t'><title>{text}</title></tune></item>"
    return f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'>{item}</publish>{wanted}</pubsub>"


def retract(node: str, item_id: str) -> str:
    return f"<pubsub xmlns='{PUBSUB}'><retract node='{node}' notify='true'><item id='{item_id}'/></retract></pubsub>"


def items(node: str, content: str = "", more: str = "") -> str:
    return f"<pubsub xmlns='{PUBSUB}'><items node='{node}'{more}>{content}</items></pubsub>"


def owner(action: str) -> str:
    return f"<pubsub xmlns='{PUBSUB}#owner'>{action}</pubsub>"


def ids(answer: Any) -> list[str]:
    assert answer.get("type") == "result", answer.xml
    return [item.get("id") for item in answer.element[0][0]]


async def listen(client: Any, *nodes: str) -> list[Any]:
    """Say which nodes are wanted; what then comes."""
    caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='unverified'/>"
    await client.send(f"<presence>{caps}</presence>")
    asked = await client.gets("iq", type="get")
    features = "".join(f"<feature var='{node}+notify'/>" for node in nodes)
    content = f"<identity category='client' type='pc'/>{features}"
    query = f"<query xmlns='http://jabber.org/protocol/disco#info'>{content}</query>"
    await client.send(f"<iq type='result' id='{asked.get('id')}' to='{client.host}'>{query}</iq>")
    return [got for got in await client.so_far() if got.name == "message"]


async def told(client: Any) -> list[str]:
    """What events say that have come."""
    return [
        got.xml.partition("#event'>")[2].partition("</event>")[0]
        for got in await client.so_far()
        if got.name == "message"
    ]


async def test_an_item_reaches_own_devices_and_contacts_that_want_it(join: Any, again: Any, befriend: Any) -> None:
    ada, bob, eve, kim = await join("ada"), await join("bob"), await join("eve"), await join("kim")
    tablet = await again(ada)
    await befriend(ada, bob)
    await befriend(ada, kim)
    for client in (tablet, bob, eve):
        await listen(client, TUNE)
    await kim.so_far()
    answer = await ada.ask(publish(TUNE, "current", "Heroes"), kind="set")
    assert f"<publish node='{TUNE}'><item id='current'/></publish>" in answer.xml
    for client in (tablet, bob):
        (event,) = [got for got in await client.so_far() if got.name == "message"]
        assert (event.get("from"), event.get("to"), event.get("type")) == (ada.bare, client.jid, "headline")
        assert f"<items node='{TUNE}'><item id='current'><tune xmlns='urn:t'><title>Heroes</title>" in event.xml
    assert await told(eve) == []
    assert await told(kim) == []


async def test_the_last_item_comes_to_who_connects_and_to_a_new_contact(join: Any, befriend: Any) -> None:
    ada, bob, eve = await join("ada"), await join("bob", is_present=False), await join("eve")
    await befriend(ada, bob)
    await ada.ask(publish(TUNE, "a", "First"), kind="set")
    await ada.ask(publish(TUNE, "b", "Second"), kind="set")
    (event,) = await listen(bob, TUNE)
    assert "Second" in event.xml
    assert await listen(eve, TUNE) == []
    await befriend(eve, ada)
    assert "Second" in (await eve.gets("message", from_=ada.bare)).xml


async def test_items_are_kept_up_to_the_number_and_fetched(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    for name in "abcd":
        answer = await ada.ask(publish(TUNE, name, name, {"max_items": "3"}), kind="set")
        assert answer.get("type") == "result"
    for client in (ada, bob):
        assert ids(await client.ask(items(TUNE), to=ada.bare)) == ["b", "c", "d"]
        assert ids(await client.ask(items(TUNE, more=" max_items='2'"), to=ada.bare)) == ["c", "d"]
        assert ids(await client.ask(items(TUNE, "<item id='c'/><item id='a'/>"), to=ada.bare)) == ["c"]
    conflict = await ada.ask(publish(TUNE, "e", "e", {"max_items": "4"}), kind="set")
    assert (conflict.condition, "precondition-not-met" in conflict.xml) == ("conflict", True)


async def test_a_private_node_is_nobody_elses(join: Any, again: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    tablet = await again(ada)
    await befriend(ada, bob)
    for client in (tablet, bob):
        await listen(client, BOOKMARKS)
    for room in ("one@rooms.example", "two@rooms.example"):
        assert (await ada.ask(publish(BOOKMARKS, room, room, PRIVATE), kind="set")).get("type") == "result"
    assert len(await told(tablet)) == 2
    assert await told(bob) == []
    refused = await bob.ask(items(BOOKMARKS), to=ada.bare)
    assert (refused.condition, "closed-node" in refused.xml) == ("not-allowed", True)
    disco = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
    assert BOOKMARKS not in (await bob.ask(disco, to=ada.bare)).xml
    assert BOOKMARKS in (await ada.ask(disco, to=ada.bare)).xml
    assert ids(await tablet.ask(items(BOOKMARKS))) == ["one@rooms.example", "two@rooms.example"]
    assert await listen(await again(ada), BOOKMARKS) == [], "the last item is never sent"


@pytest.mark.parametrize(("model", "condition"), [("open", ""), ("presence", "not-authorized")])
async def test_a_stranger_sees_open_nodes_alone(join: Any, model: str, condition: str) -> None:
    ada, eve = await join("ada"), await join("eve")
    await ada.ask(publish(TUNE, "a", "A", {"access_model": model}), kind="set")
    assert (await eve.ask(items(TUNE), to=ada.bare)).condition == condition


async def test_retract_purge_and_delete_are_told(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await listen(bob, TUNE)
    for name in "ab":
        await ada.ask(publish(TUNE, name, name, {"max_items": "5"}), kind="set")
    await bob.so_far()
    assert (await ada.ask(retract(TUNE, "a"), kind="set")).get("type") == "result"
    assert await told(bob) == [f"<items node='{TUNE}'><retract id='a'/></items>"]
    assert (await ada.ask(retract(TUNE, "a"), kind="set")).condition == "item-not-found"
    assert (await ada.ask(owner(f"<purge node='{TUNE}'/>"), kind="set")).get("type") == "result"
    assert ids(await ada.ask(items(TUNE))) == []
    assert (await ada.ask(owner(f"<delete node='{TUNE}'/>"), kind="set")).get("type") == "result"
    assert await told(bob) == [f"<purge node='{TUNE}'/>", f"<delete node='{TUNE}'/>"]
    assert (await ada.ask(items(TUNE))).condition == "item-not-found"


async def test_the_owner_creates_and_configures(join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    configure = f"<configure>{form('node_config', {'access_model': 'open', 'max_items': '2'})}</configure>"
    create = f"<pubsub xmlns='{PUBSUB}'><create node='urn:n'/>{configure}</pubsub>"
    assert "<create node='urn:n'/>" in (await ada.ask(create, kind="set")).xml
    assert (await ada.ask(create, kind="set")).condition == "conflict"
    assert ids(await eve.ask(items("urn:n"), to=ada.bare)) == []
    shown = await ada.ask(owner("<configure node='urn:n'/>"))
    assert "<field var='pubsub#access_model' type='list-single'><value>open</value></field>" in shown.xml
    closed = owner(f"<configure node='urn:n'>{form('node_config', {'access_model': 'whitelist'})}</configure>")
    assert (await ada.ask(closed, kind="set")).get("type") == "result"
    assert (await eve.ask(items("urn:n"), to=ada.bare)).condition == "not-allowed"
    assert "<default>" in (await ada.ask(owner("<default/>"))).xml


async def test_nobody_owns_anothers_nodes_or_changes_the_profiles(join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    await ada.ask(publish(TUNE, "a", "A"), kind="set")
    for payload in (publish(TUNE, "b", "B"), retract(TUNE, "a"), owner(f"<delete node='{TUNE}'/>")):
        assert (await eve.ask(payload, kind="set", to=ada.bare)).condition == "forbidden"
    assert (await eve.ask(owner(f"<configure node='{TUNE}'/>"), to=ada.bare)).condition == "forbidden"
    for action in ("purge", "delete", "configure"):
        payload = owner(f"<{action} node='urn:xmpp:vcard4'/>")
        assert (await ada.ask(payload, kind="set")).condition == "not-allowed"


async def test_a_node_that_keeps_nothing_still_tells(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await listen(bob, TUNE)
    await ada.ask(publish(TUNE, "a", "Now", {"persist_items": "false"}), kind="set")
    assert len(await told(bob)) == 1
    assert ids(await bob.ask(items(TUNE), to=ada.bare)) == []


async def test_what_is_published_stands_for_itself_wherever_it_goes(join: Any) -> None:
    ada = await join()
    item = "<item id='p'><p:a xmlns:p='urn:p' p:k='&lt;&apos;'>x<b xmlns='jabber:client'/><c xmlns=''/></p:a></item>"
    await ada.ask(f"<pubsub xmlns='{PUBSUB}'><publish node='urn:n'>{item}</publish></pubsub>", kind="set")
    payload = (await ada.ask(items("urn:n"))).element[0][0][0][0]
    assert (payload.tag, payload.get("{urn:p}k"), payload.text) == ("{urn:p}a", "<'", "x")
    assert [child.tag for child in payload] == ["{jabber:client}b", "c"]


async def test_blocking_ends_the_events(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await listen(bob, TUNE)
    block = f"<block xmlns='urn:xmpp:blocking'><item jid='{bob.bare}'/></block>"
    await ada.ask(block, kind="set")
    await ada.ask(publish(TUNE, "a", "A", {"access_model": "open"}), kind="set")
    assert await told(bob) == []
    assert (await bob.ask(items(TUNE), to=ada.bare)).condition == "service-unavailable"
    await ada.ask("<unblock xmlns='urn:xmpp:blocking'/>", kind="set")
    assert "<title>A</title>" in (await bob.gets("message", from_=ada.bare)).xml


# ------------------------------------------------------------------------------------------------- pages and relations

RSM = "http://jabber.org/protocol/rsm"


def paged(node: str, page: str) -> str:
    return f"<pubsub xmlns='{PUBSUB}'><items node='{node}'/><set xmlns='{RSM}'>{page}</set></pubsub>"


def told_of(answer: Any) -> tuple[list[str], str | None, str | None]:
    """The ids of the items, and the count and the index that stand beside them."""
    page = answer.element.find(f".//{{{RSM}}}set")
    first = page.find(f"{{{RSM}}}first")
    return ids(answer), page.findtext(f"{{{RSM}}}count"), None if first is None else first.get("index")


async def test_items_come_page_by_page(join: Any) -> None:
    ada = await join("ada")
    for number in range(5):
        await ada.ask(publish(BOOKMARKS, str(number), "x", PRIVATE), kind="set")
    assert told_of(await ada.ask(paged(BOOKMARKS, "<max>2</max>"))) == (["0", "1"], "5", "0")
    assert told_of(await ada.ask(paged(BOOKMARKS, "<max>2</max><after>1</after>"))) == (["2", "3"], "5", "2")
    assert told_of(await ada.ask(paged(BOOKMARKS, "<max>2</max><before/>"))) == (["3", "4"], "5", "3")
    assert told_of(await ada.ask(paged(BOOKMARKS, "<max>9</max><before>1</before>"))) == (["0"], "5", "0")
    assert told_of(await ada.ask(paged(BOOKMARKS, "<max>0</max>"))) == ([], "5", None)
    assert (await ada.ask(paged(BOOKMARKS, "<after>gone</after>"))).condition == "item-not-found"


@pytest.mark.parametrize("kind", ["affiliations", "subscriptions"])
async def test_an_owner_sees_what_is_owned_and_others_nothing(join: Any, kind: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.ask(publish(TUNE, "1", "x"), kind="set")
    is_affiliation = kind == "affiliations"
    every, one, none = (
        f"<pubsub xmlns='{PUBSUB}'><{kind}{node}/></pubsub>" for node in ("", f" node='{TUNE}'", " node='-'")
    )
    own = [each.get("node") for each in (await ada.ask(every)).element[0][0]]
    assert (TUNE in own) is is_affiliation
    assert len((await ada.ask(one)).element[0][0]) == is_affiliation
    assert (await ada.ask(none)).condition == "item-not-found"
    for request in (every, one, none):
        assert len((await bob.ask(request, to=ada.bare)).element[0][0]) == 0
    of_one = await ada.ask(owner(f"<{kind} node='{TUNE}'/>"))
    assert [each.get("affiliation") for each in of_one.element[0][0]] == (["owner"] if is_affiliation else [])
    assert (await ada.ask(owner(f"<{kind} node='-'/>"))).condition == "item-not-found"
    assert (await bob.ask(owner(f"<{kind} node='{TUNE}'/>"), to=ada.bare)).condition == "forbidden"
