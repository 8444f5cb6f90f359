"""The archive of one-to-one messages, over real sockets (XEP-0313, XEP-0359)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.core import limits
from heliograph.core.archive import Selection
from patience import PATIENCE_S

MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
RESULT = f"{{{MAM}}}result"
FORWARDED = f"{{{MAM}}}result/{{urn:xmpp:forward:0}}forwarded"
STANZA_ID = "{urn:xmpp:sid:0}stanza-id"
SM = "urn:xmpp:sm:3"


def chat(to: str, text: str, more: str = "", kind: str = "chat") -> str:
    return f"<message to='{to}' type='{kind}' id='{text}'><body>{text}</body>{more}</message>"


def query(*, page: str = "", flip: bool = False, **fields: str) -> str:
    names = {"FORM_TYPE": MAM, **{name.rstrip("_").replace("_", "-"): value for name, value in fields.items()}}
    inner = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in names.items())
    form = f"<x xmlns='jabber:x:data' type='submit'>{inner}</x>" if fields else ""
    paged = f"<set xmlns='{RSM}'>{page}</set>" if page else ""
    return f"<query xmlns='{MAM}' queryid='q'>{form}{paged}{'<flip-page/>' if flip else ''}</query>"


class Page:
    """The results of a query, and what ended them."""

    def __init__(self, told: list[Any], end: Any) -> None:
        self.results = told
        self.end = end
        self.fin = end.element.find(f"{{{MAM}}}fin")

    @property
    def texts(self) -> list[str]:
        bodies = f"{FORWARDED}/{{jabber:client}}message/{{jabber:client}}body"
        return [got.element.findtext(bodies) for got in self.results]

    @property
    def ids(self) -> list[str]:
        return [got.element.find(RESULT).get("id") for got in self.results]

    @property
    def is_complete(self) -> bool:
        return bool(self.fin.get("complete") == "true")

    def said(self, name: str) -> str | None:
        return self.fin.findtext(f"{{{RSM}}}set/{{{RSM}}}{name}")  # type: ignore[no-any-return]


async def fetch(client: Any, payload: str) -> Page:
    await client.send(f"<iq type='set' id='mam'>{payload}</iq>")
    told = []
    while (got := await client.next()).name != "iq":
        told.append(got)
    return Page(told, got)


async def test_both_sides_find_what_was_said_under_the_id_that_it_came_with(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(chat(bob.bare, "one"), chat(bob.jid, "two"))
    ids = [(await bob.gets("message")).element.find(STANZA_ID) for _ in range(2)]
    assert [each.get("by") for each in ids] == [bob.bare, bob.bare]
    await bob.send(chat(ada.jid, "three"))
    await ada.gets("message")
    for client in (ada, bob):
        page = await fetch(client, query())
        assert page.texts == ["one", "two", "three"]
        assert page.is_complete
        assert page.said("count") == "3"
        assert (page.said("first"), page.said("last")) == (page.ids[0], page.ids[-1])
        for got in page.results:
            assert (got.get("from"), got.get("to")) == (client.bare, client.jid)
            assert got.element.find(RESULT).get("queryid") == "q"
            assert got.element.find(f"{FORWARDED}/{{urn:xmpp:delay}}delay") is not None
    assert page.ids[:2] == [each.get("id") for each in ids]


async def test_the_archived_message_is_the_one_that_was_sent(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(chat(bob.jid, "hi", "<origin-id xmlns='urn:xmpp:sid:0' id='o'/>"))
    await bob.gets("message")
    (got,) = (await fetch(bob, query())).results
    message = got.element.find(f"{FORWARDED}/{{jabber:client}}message")
    assert (message.get("from"), message.get("to"), message.get("id")) == (ada.jid, bob.jid, "hi")
    assert message.find("{urn:xmpp:sid:0}origin-id").get("id") == "o"
    assert message.find(STANZA_ID) is None


async def test_a_long_archive_is_paged_from_either_end(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(*(chat(bob.bare, str(number)) for number in range(1, 8)))
    await ada.so_far()
    first = await fetch(ada, query(page="<max>3</max>"))
    assert (first.texts, first.is_complete, first.said("count")) == (["1", "2", "3"], False, "7")
    second = await fetch(ada, query(page=f"<max>3</max><after>{first.said('last')}</after>"))
    assert (second.texts, second.is_complete) == (["4", "5", "6"], False)
    third = await fetch(ada, query(page=f"<max>3</max><after>{second.said('last')}</after>"))
    assert (third.texts, third.is_complete) == (["7"], True)
    last = await fetch(ada, query(page="<max>3</max><before/>"))
    assert (last.texts, last.is_complete) == (["5", "6", "7"], False)
    before = await fetch(ada, query(page=f"<max>10</max><before>{last.said('first')}</before>"))
    assert (before.texts, before.is_complete) == (["1", "2", "3", "4"], True)
    flipped = await fetch(ada, query(page="<max>3</max><before/>", flip=True))
    assert flipped.texts == ["7", "6", "5"]
    assert (flipped.said("first"), flipped.said("last")) == (last.said("first"), last.said("last"))
    counted = await fetch(ada, query(page="<max>0</max>"))
    assert (counted.texts, counted.said("count"), counted.is_complete) == ([], "7", False)


async def test_an_archive_is_filtered_by_contact_time_and_id(join: Any) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    await ada.send(chat(bob.bare, "one"), chat(eve.bare, "two"), chat(ada.bare, "self"), chat(bob.jid, "three"))
    await ada.so_far()
    assert (await fetch(ada, query(with_=bob.bare))).texts == ["one", "three"]
    assert (await fetch(ada, query(with_=bob.jid))).texts == ["three"]
    assert (await fetch(ada, query(with_=ada.bare))).texts == ["self"]
    whole = await fetch(ada, query())
    assert whole.texts == ["one", "two", "self", "three"]
    stamps = [got.element.find(f"{FORWARDED}/{{urn:xmpp:delay}}delay").get("stamp") for got in whole.results]
    assert (await fetch(ada, query(start=stamps[2]))).texts == ["self", "three"]
    assert (await fetch(ada, query(end=stamps[1]))).texts == ["one", "two"]
    assert (await fetch(ada, query(start=stamps[1], end=stamps[2], with_=eve.bare))).texts == ["two"]
    assert (await fetch(ada, query(after_id=whole.ids[0], before_id=whole.ids[3]))).texts == ["two", "self"]
    assert (await fetch(ada, query(ids=whole.ids[2]))).texts == ["self"]
    assert (await fetch(ada, query(start="2100-01-01T00:00:00Z"))).is_complete


@pytest.mark.parametrize(
    "wanted",
    [
        query(after_id="nothing"),
        query(before_id="00000000000000ff"),
        query(ids="x"),
        query(page="<after>nothing</after>"),
        query(page="<before>nothing</before>"),
    ],
)
async def test_an_id_that_is_not_there_is_not_found(join: Any, wanted: str) -> None:
    ada = await join("ada")
    assert (await fetch(ada, wanted)).end.condition == "item-not-found"


async def test_nobody_sees_the_archive_of_another(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    for kind, payload in (("set", query()), ("get", query()), ("get", f"<metadata xmlns='{MAM}'/>")):
        assert (await ada.ask(payload, kind=kind, to=bob.bare)).condition == "forbidden"


async def test_what_is_no_conversation_or_must_not_be_stored_is_not_archived(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(
        chat(bob.bare, "secret", "<no-store xmlns='urn:xmpp:hints'/>"),
        chat(bob.bare, "passing", "<no-permanent-store xmlns='urn:xmpp:hints'/>"),
        chat(bob.bare, "news", kind="headline"),
        f"<message to='{bob.bare}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
    )
    await ada.so_far()
    assert [got.element.find(STANZA_ID) for got in await bob.so_far()] == [None] * 4
    assert (await fetch(bob, query())).texts == []


async def test_a_refused_message_is_not_archived(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await place.call("PUT", f"/blocked/{ada.account.username}", bob.account)
    await ada.send(chat(bob.bare, "hi"), chat(f"nobody@{ada.host}", "hi"))
    assert len(await ada.so_far()) == 2
    assert (await fetch(ada, query())).texts == []


async def test_a_message_for_an_absent_user_waits_under_its_id_and_stands_in_the_archive(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await place.register(place.name("bob"))
    await ada.send(chat(bob.jid, "hi"))
    await ada.so_far()
    later = await place.sign_in(bob)
    await later.send("<presence/>")
    got = await later.gets("message")
    page = await fetch(later, query())
    assert page.texts == ["hi"]
    assert page.ids == [got.element.find(STANZA_ID).get("id")]
    assert (await fetch(ada, query())).ids == page.ids


async def test_copies_tell_each_user_the_id_in_their_own_archive(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    devices = [await again(ada, "laptop"), await again(bob, "laptop")]
    for device in devices:
        await device.ask("<enable xmlns='urn:xmpp:carbons:2'/>", kind="set")
        await device.so_far()
    await ada.send(chat(bob.jid, "hi"))
    identity = (await bob.gets("message")).element.find(STANZA_ID).get("id")
    for device in devices:
        copy = await device.gets("message")
        (found,) = copy.element.iter(STANZA_ID)
        assert (found.get("by"), found.get("id")) == (device.bare, identity)


async def test_a_forged_id_does_not_pass(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{bob.bare}' id='forged'/>"
    foreign = "<stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example' id='kept'/>"
    await ada.send(chat(bob.jid, "hi", forged + foreign), chat(bob.bare, "news", forged, kind="headline"))
    got = await bob.gets("message")
    assert [each.get("by") for each in got.element.iterfind(STANZA_ID)] == ["room@muc.example", bob.bare]
    assert (await bob.gets("message")).element.find(STANZA_ID) is None


async def test_an_acknowledged_message_is_durable(start: Any) -> None:
    place = await start()
    ada, bob = [await place.sign_in(await place.register(name)) for name in ("ada", "bob")]
    await bob.send("<presence/>")
    await ada.send(f"<enable xmlns='{SM}'/>")
    await ada.gets("enabled")
    await bob.so_far()
    await ada.send(chat(bob.jid, "hi"), f"<r xmlns='{SM}'/>")
    assert (await ada.gets("a")).get("h") == "1"
    account = await place.node.ports.accounts.lookup(ada.bare)
    assert [each.receiver for each in await _stored(place, account.id)] == [bob.jid]


async def _stored(place: Any, owner: int) -> Any:
    """What is on the disk, without what waits for it."""
    return await place.node.ports.archive.page(owner, Selection(), 10, is_backwards=False)


async def test_a_page_of_large_messages_is_short(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(*(chat(bob.bare, str(number), f"<x xmlns='urn:x'>{'y' * 50_000}</x>") for number in range(8)))
    await ada.so_far()
    page = await fetch(ada, query())
    assert page.texts == ["0", "1", "2", "3", "4"]
    assert not page.is_complete
    rest = await fetch(ada, query(page=f"<after>{page.said('last')}</after>"))
    assert (rest.texts, rest.is_complete) == (["5", "6", "7"], True)


async def test_the_oldest_go_where_there_are_too_many(start: Any) -> None:
    place = await start(archive_messages_max=100)
    ada = await place.sign_in(await place.register("ada"))
    await ada.send(*(chat(ada.bare, str(number)) for number in range(150)))
    await ada.so_far()
    async with asyncio.timeout(PATIENCE_S):
        while place.node.engine._tasks:
            place.node.engine._left.clear()
            await place.node.engine._left.wait()
    await ada.send(*(chat(ada.bare, str(number)) for number in range(150, 160)))
    page = await fetch(ada, query(page="<before/>"))
    assert page.texts[-1] == "159"
    assert len(page.texts) <= 100 + 2 * (100 // 16) + 1


async def test_without_archives_nothing_is_offered_or_kept(start: Any) -> None:
    place = await start(archive_days=0)
    ada, bob = [await place.sign_in(await place.register(name)) for name in ("ada", "bob")]
    await ada.send(chat(bob.jid, "hi"))
    assert (await bob.gets("message")).element.find(STANZA_ID) is None
    assert (await fetch(ada, query())).end.condition == "service-unavailable"
    info = await ada.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to=ada.bare)
    assert MAM not in info.xml


async def test_a_client_learns_what_it_can_ask(join: Any) -> None:
    ada = await join("ada")
    info = await ada.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to=ada.bare)
    for feature in (MAM, f"{MAM}#extended", "urn:xmpp:sid:0"):
        assert f"<feature var='{feature}'/>" in info.xml
    assert "<field var='with' type='jid-single'>" in (await ada.ask(f"<query xmlns='{MAM}'/>")).xml
    empty = await ada.ask(f"<metadata xmlns='{MAM}'/>")
    assert len(empty.element[0]) == 0
    await ada.send(chat(ada.bare, "one"), chat(ada.bare, "two"))
    await ada.so_far()
    page = await fetch(ada, query())
    start, end = (await ada.ask(f"<metadata xmlns='{MAM}'/>")).element[0]
    assert [start.get("id"), end.get("id")] == page.ids


async def test_preferences_are_told_and_no_others_taken(join: Any) -> None:
    ada = await join("ada")
    assert "default='always'" in (await ada.ask(f"<prefs xmlns='{MAM}'/>")).xml
    kept = await ada.ask(f"<prefs xmlns='{MAM}' default='always'/>", kind="set")
    assert kept.get("type") == "result"
    other = await ada.ask(f"<prefs xmlns='{MAM}' default='never'/>", kind="set")
    assert other.condition == "feature-not-implemented"


async def test_the_sweep_forgets_what_is_old(start: Any) -> None:
    place = await start()
    ada = await place.sign_in(await place.register("ada"))
    await ada.send(chat(ada.bare, "one"))
    assert (await fetch(ada, query())).texts == ["one"]
    ports = place.node.ports
    assert await ports.archive.forget(ports.clock.now() + 1, limits.EXPIRED_BATCH) == 1
    assert (await fetch(ada, query())).texts == []


async def test_a_new_account_of_an_old_name_finds_nothing(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(chat(bob.jid, "hi"))
    await bob.gets("message")
    await place.call("DELETE", f"/users/{ada.account.username}")
    again = await place.sign_in(await place.register(ada.account.username))
    assert (await fetch(again, query())).texts == []
    assert (await fetch(bob, query())).texts == ["hi"]
