"""Profiles as plain XMPP clients see and change them (XEP-0163, XEP-0292, XEP-0172, XEP-0054)."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from collections import Counter
from typing import Any

import pytest
from PIL import Image

from heliograph.core.profiles import Profile

NS_CAPS = "http://jabber.org/protocol/caps"
NS_INFO = "http://jabber.org/protocol/disco#info"
NS_EVENT = "http://jabber.org/protocol/pubsub#event"
NS_PUBSUB = "http://jabber.org/protocol/pubsub"
NS_VCARD4 = "urn:ietf:params:xml:ns:vcard-4.0"
NS_PROFILE = "urn:heliograph:profile:1"
VCARD4, NICK = "urn:xmpp:vcard4", "http://jabber.org/protocol/nick"

# -------------------------------------------------------------------------------------------------------------- clients


def capabilities(*features: str) -> tuple[str, str]:
    """What a client announces, and what it answers when it is asked for that."""
    text = "client/pc//Test<" + "".join(f"{feature}<" for feature in sorted(features))
    ver = b64encode(hashlib.sha1(text.encode()).digest()).decode()
    listed = "".join(f"<feature var='{feature}'/>" for feature in features)
    announced = f"<c xmlns='{NS_CAPS}' hash='sha-1' node='urn:test' ver='{ver}'/>"
    node = f"urn:test#{ver}"
    return announced, (
        f"<query xmlns='{NS_INFO}' node='{node}'><identity category='client' type='pc' name='Test'/>{listed}</query>"
    )


async def wants(client: Any, *nodes: str, mark: str = "", answer: str = "") -> tuple[bool, list[Any]]:
    """Be present with an interest in nodes; answer the server if it asks what that means.

    Returns:
        Whether it asked, and all else that came.
    """
    features = [f"{node}+notify" for node in nodes] + ([mark] if mark else [])
    announced, known = capabilities(*features)
    await client.send(f"<presence>{announced}</presence>")
    told = await client.so_far()
    asked = [got for got in told if got.name == "iq" and got.element[0].tag == f"{{{NS_INFO}}}query"]
    told = [got for got in told if got not in asked]
    for request in asked:
        assert (request.get("type"), request.get("from")) == ("get", client.host)
        assert request.element[0].get("node") in known
        await client.send(f"<iq type='result' id='{request.get('id')}' to='{client.host}'>{answer or known}</iq>")
        told += await client.so_far()
    return bool(asked), told


def events(told: list[Any]) -> Counter[tuple[str, str]]:
    """How often an event of each sender and node came."""
    found: Counter[tuple[str, str]] = Counter()
    for got in told:
        items = got.element.find(f"{{{NS_EVENT}}}event/{{{NS_EVENT}}}items")
        if items is not None:
            assert got.get("type") == "headline"
            found[got.get("from"), items.get("node")] += 1
    return found


def card(told: list[Any], sender: str) -> Any:
    """The vCard4 of the last such event of a sender."""
    cards = [got.element.find(f".//{{{NS_VCARD4}}}vcard") for got in told if got.get("from") == sender]
    return next(found for found in reversed(cards) if found is not None)


def version(vcard: Any) -> int:
    return int(vcard.find(f"{{{NS_PROFILE}}}profile").get("version"))


async def save(place: Any, client: Any, **fields: Any) -> Any:
    return await place.call("PATCH", "/profile", client.account, fields)


def publish(node: str, payload: str) -> str:
    return f"<pubsub xmlns='{NS_PUBSUB}'><publish node='{node}'><item id='current'>{payload}</item></publish></pubsub>"


def items(node: str) -> str:
    return f"<pubsub xmlns='{NS_PUBSUB}'><items node='{node}'/></pubsub>"


def vcard4(**fields: str) -> str:
    written = "".join(f"<{name}><text>{value}</text></{name}>" for name, value in fields.items())
    return f"<vcard xmlns='{NS_VCARD4}'>{written}</vcard>"


# --------------------------------------------------------------------------------------------------------------- events


async def test_an_event_goes_once_to_each_session_that_asked_for_it(
    place: Any, join: Any, again: Any, befriend: Any
) -> None:
    ada, bob, eve = await join("ada", "one"), await join("bob", "one"), await join("eve")
    ada_tablet, bob_tablet, bob_plain = await again(ada, "two"), await again(bob, "two"), await again(bob, "three")
    absent = await again(bob, "four", is_present=False)
    await befriend(ada, bob)
    for client in (ada_tablet, bob, bob_tablet, eve):
        await wants(client, VCARD4, NICK, mark="urn:test:once")
    for client in (ada, ada_tablet, bob, bob_tablet, bob_plain, absent, eve):
        await client.so_far()
    await save(place, ada, nickName="Ada & Co", status="Here", mobileNumber="+4930123456", email="ada@mail.test")
    both = {(ada.bare, VCARD4): 1, (ada.bare, NICK): 1}
    mark = (await place.node.ports.profiles.lookup(ada.bare)).mark
    start = f"<message type='headline' from='{ada.bare}' to='{bob.jid}'><event xmlns='{NS_EVENT}'>"
    by_vcard4 = (
        f"{start}<items node='{VCARD4}'>"
        f"<item id='current'><vcard xmlns='{NS_VCARD4}'><fn><text>Ada &amp; Co</text></fn>"
        "<nickname><text>Ada &amp; Co</text></nickname><note><text>Here</text></note>"
        "<tel><uri>tel:+4930123456</uri></tel><email><text>ada@mail.test</text></email>"
        f"<profile xmlns='{NS_PROFILE}' version='1' mark='{mark}'/></vcard></item></items></event></message>"
    )
    by_nick = (
        f"{start}<items node='{NICK}'>"
        f"<item id='current'><nick xmlns='{NICK}'>Ada &amp; Co</nick></item></items></event></message>"
    )
    assert [got.xml for got in await bob.so_far()] == [by_vcard4, by_nick]
    for client in (bob_tablet, ada_tablet):
        assert events(await client.so_far()) == both
    for client in (ada, bob_plain, absent, eve):
        assert await client.so_far() == []


async def test_who_comes_or_goes_during_the_commit_is_told_as_of_its_end(
    place: Any, join: Any, again: Any, befriend: Any
) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    tablet = await again(bob, "tablet")
    await befriend(ada, bob)
    await befriend(ada, eve)
    for client in (bob, eve):
        await wants(client, VCARD4)
    publish = place.node.engine.prepare_profile(Profile(ada.bare, 1, "Ada", mark=1_000_000))
    await wants(tablet, NICK)
    await eve.send("<presence type='unavailable'/>")
    for client in (bob, tablet, eve):
        assert events(await client.so_far()) == {}
    publish()
    assert events(await bob.so_far()) == {(ada.bare, VCARD4): 1}
    assert events(await tablet.so_far()) == {(ada.bare, NICK): 1}
    assert events(await eve.so_far()) == {}


async def test_a_client_gets_the_events_of_the_nodes_it_asked_for(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await wants(bob, NICK, "urn:xmpp:avatar:metadata", mark="urn:test:nick")
    await save(place, ada, nickName="Ada", status="Here")
    assert events(await bob.so_far()) == {(ada.bare, NICK): 1}


async def test_what_changes_nothing_is_no_event(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await save(place, ada, nickName="Ada")
    await wants(bob, VCARD4, mark="urn:test:same")
    await save(place, ada, nickName="Ada")
    await ada.ask(publish(NICK, f"<nick xmlns='{NICK}'>Ada</nick>"), kind="set")
    assert await bob.so_far() == []


async def test_the_server_asks_once_what_a_client_version_wants(place: Any, join: Any, befriend: Any) -> None:
    ada, bob, carl = await join("ada"), await join("bob"), await join("carl")
    await befriend(ada, carl)
    await save(place, ada, nickName="Ada")
    assert (await wants(bob, VCARD4, mark="urn:test:asked"))[0]
    is_asked, told = await wants(carl, VCARD4, mark="urn:test:asked")
    assert not is_asked
    assert events(told) == {(ada.bare, VCARD4): 1}
    assert not (await wants(carl, VCARD4, mark="urn:test:asked"))[0]


async def test_a_client_that_lies_about_its_hash_speaks_for_itself_alone(place: Any, join: Any, befriend: Any) -> None:
    """XEP-0115, section 5.4: the answer does not fit the announcement."""
    ada, liar, bob = await join("ada"), await join("liar"), await join("bob")
    for other in (liar, bob):
        await befriend(ada, other)
    _, nothing = capabilities("urn:test:nothing")
    is_asked, _ = await wants(liar, VCARD4, mark="urn:test:lie", answer=nothing)
    assert is_asked
    await save(place, ada, nickName="Ada")
    assert await liar.so_far() == []
    is_asked, told = await wants(bob, VCARD4, mark="urn:test:lie")
    assert is_asked
    assert events(told) == {(ada.bare, VCARD4): 1}


async def test_what_a_client_version_wants_is_remembered_only_if_it_is_short(place: Any, join: Any) -> None:
    """Ten thousand versions are remembered."""
    ada, bob = await join("ada"), await join("bob")
    long = [f"urn:test:{number}:{'x' * 500}" for number in range(9)]
    for _ in "ab":
        assert (await wants(ada, VCARD4, *long))[0]
        (resource,) = place.node.engine.router.resources(ada.bare)
        assert resource.interests == {VCARD4, *long}
        await ada.send("<presence type='unavailable'/>")
        await ada.so_far()
    assert (await wants(bob, VCARD4, mark=f"urn:test:{'x' * 500}"))[0]
    (resource,) = place.node.engine.router.resources(bob.bare)
    assert place.node.engine.interests[resource.caps] == {VCARD4}


@pytest.mark.parametrize("answer", ["<iq type='error' id='{id}'/>", "<iq type='result' id='{id}'/>", "", "other"])
async def test_a_client_that_does_not_say_what_it_wants_gets_nothing(
    place: Any, join: Any, befriend: Any, answer: str
) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    announced, known = capabilities(f"{VCARD4}+notify", f"urn:test:{place.name('mute')}")
    await bob.send(f"<presence>{announced}</presence>")
    asked = await bob.gets("iq", type="get")
    if answer == "other":
        await bob.send(f"<iq type='result' id='not-{asked.get('id')}'>{known}</iq>")
    else:
        await bob.send(answer.format(id=asked.get("id")))
    await bob.so_far()
    await save(place, ada, nickName="Ada")
    assert await bob.so_far() == []


async def test_who_was_offline_gets_the_newest_and_only_that(place: Any, join: Any, befriend: Any) -> None:
    ada, carl = await join("ada"), await join("carl", is_present=False)
    bob = await join("bob", is_present=False)
    for other in (ada, carl):
        await befriend(bob, other)
    await save(place, bob, nickName="Bob")
    for name in ("A", "Ad", "Ada"):
        stored = await save(place, ada, nickName=name)
    _, told = await wants(bob, VCARD4, NICK, mark="urn:test:offline")
    # Bob's own, Ada's, and nothing of Carl, who has never saved any.
    expected = {(jid, node): 1 for jid in (ada.bare, bob.bare) for node in (VCARD4, NICK)}
    assert events(told) == expected
    assert version(card(told, ada.bare)) == stored["version"] == 3
    assert card(told, ada.bare).findtext(f"{{{NS_VCARD4}}}nickname/{{{NS_VCARD4}}}text") == "Ada"
    await bob.send("<presence><show>away</show></presence>")
    assert events(await bob.so_far()) == {}


async def test_who_comes_back_on_the_same_stream_gets_what_was_missed(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await wants(bob, VCARD4, mark="urn:test:back")
    await save(place, ada, nickName="Ada")
    assert events(await bob.so_far()) == {(ada.bare, VCARD4): 1}
    await bob.send("<presence type='unavailable'/>")
    await bob.so_far()
    await save(place, ada, nickName="Ada Lovelace")
    assert await bob.so_far() == []
    _, told = await wants(bob, VCARD4, mark="urn:test:back")
    assert events(told) == {(ada.bare, VCARD4): 1}
    assert version(card(told, ada.bare)) == 2


async def test_a_new_contact_is_introduced_and_a_former_one_forgotten(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await save(place, ada, nickName="Ada", email="ada@mail.test")
    await wants(bob, VCARD4, mark="urn:test:new")
    await befriend(ada, bob)
    told = await bob.so_far()
    assert events(told) == {(ada.bare, VCARD4): 1}
    assert card(told, ada.bare).findtext(f"{{{NS_VCARD4}}}email/{{{NS_VCARD4}}}text") == "ada@mail.test"
    await place.call("DELETE", f"/contacts/{bob.account.username}", ada.account)
    await bob.so_far()
    await save(place, ada, nickName="Ada Lovelace")
    assert await bob.so_far() == []


# -------------------------------------------------------------------------------------------- changes by a plain client


async def test_a_published_vcard4_reaches_contacts_own_devices_and_the_api(
    place: Any, join: Any, again: Any, befriend: Any
) -> None:
    ada, bob = await join("ada", "one"), await join("bob")
    tablet = await again(ada, "two")
    await befriend(ada, bob)
    for client in (tablet, bob):
        await wants(client, VCARD4, NICK, mark="urn:test:publish")
    await ada.so_far()
    payload = vcard4(fn="Ada Lovelace", nickname="Ada", note="Here", email="ada@mail.test", role="Analyst")
    answer = await ada.ask(publish(VCARD4, payload), kind="set")
    assert answer.xml == (
        f"<iq type='result' id='{answer.get('id')}' to='{ada.jid}'>"
        f"<pubsub xmlns='{NS_PUBSUB}'><publish node='{VCARD4}'><item id='current'/></publish></pubsub></iq>"
    )
    for client in (tablet, bob):
        told = await client.so_far()
        assert events(told) == {(ada.bare, VCARD4): 1, (ada.bare, NICK): 1}
        shown = card(told, ada.bare)
        texts = {child.tag.rpartition("}")[2]: "".join(child.itertext()) for child in shown}
        assert texts["fn"] == "Ada Lovelace"
        assert (texts["nickname"], texts["note"], texts["role"]) == ("Ada", "Here", "Analyst")
    seen = await place.call("GET", f"/profiles/{ada.account.username}", bob.account)
    assert (seen["nickName"], seen["status"], seen["email"], seen["version"]) == ("Ada", "Here", "ada@mail.test", 1)


async def test_a_published_nickname_is_the_name(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await save(place, ada, nickName="Ada", status="Here")
    await wants(bob, VCARD4, mark="urn:test:nickname")
    await ada.ask(publish(NICK, f"<nick xmlns='{NICK}'>Countess</nick>"), kind="set")
    told = await bob.so_far()
    assert events(told) == {(ada.bare, VCARD4): 1}
    seen = await place.call("GET", f"/profiles/{ada.account.username}", bob.account)
    assert (seen["nickName"], seen["status"], seen["version"]) == ("Countess", "Here", 2)


async def test_a_vcard_temp_with_a_picture_is_the_profile(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await wants(bob, VCARD4, mark="urn:test:temp")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    photo = f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{b64encode(picture.getvalue()).decode()}</BINVAL></PHOTO>"
    answer = await ada.ask(f"<vCard xmlns='vcard-temp'><FN>Ada</FN><DESC>Here</DESC>{photo}</vCard>", kind="set")
    assert answer.xml == f"<iq type='result' id='{answer.get('id')}' to='{ada.jid}'/>"
    shown = card(await bob.so_far(), ada.bare)
    image = shown.findtext(f"{{{NS_VCARD4}}}photo/{{{NS_VCARD4}}}uri")
    fetched = await place.http.get(image)
    assert (fetched.status_code, fetched.headers["content-type"]) == (200, "image/jpeg")
    seen = await place.call("GET", f"/profiles/{ada.account.username}", bob.account)
    assert (seen["nickName"], seen["status"], seen["image"]) == ("Ada", "Here", image)
    told = await bob.ask("<vCard xmlns='vcard-temp'/>", to=ada.bare)
    assert "<FN>Ada</FN>" in told.xml
    shown_photo = (await place.http.get(f"{image}-192.png")).content
    assert f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{b64encode(shown_photo).decode()}</BINVAL></PHOTO>" in told.xml


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (publish(VCARD4, f"<nick xmlns='{NICK}'>x</nick>"), "bad-request"),
        (publish(NICK, f"<nick xmlns='{NICK}'>{'x' * 65}</nick>"), "bad-request"),
        (publish(VCARD4, vcard4(nickname="x", email="none")), "bad-request"),
        (f"<pubsub xmlns='{NS_PUBSUB}'><publish node='{NICK}'/></pubsub>", "bad-request"),
        (f"<pubsub xmlns='{NS_PUBSUB}'><retract node='{NICK}'><item id='current'/></retract></pubsub>", "not-allowed"),
        (f"<pubsub xmlns='{NS_PUBSUB}'><create node='{NICK}'/></pubsub>", "not-allowed"),
        ("<vCard xmlns='vcard-temp'><PHOTO><BINVAL>!</BINVAL></PHOTO></vCard>", "bad-request"),
        ("<vCard xmlns='vcard-temp'><PHOTO><BINVAL>AAAA</BINVAL></PHOTO></vCard>", "bad-request"),
    ],
)
async def test_what_cannot_be_published_is_refused_and_changes_nothing(
    place: Any, join: Any, payload: str, condition: str
) -> None:
    ada = await join()
    await save(place, ada, nickName="Ada")
    answer = await ada.ask(payload, kind="set")
    assert (answer.get("type"), answer.condition) == ("error", condition)
    assert (await place.call("GET", "/profile", ada.account))["version"] == 1


@pytest.mark.parametrize("payload", [publish(NICK, f"<nick xmlns='{NICK}'>x</nick>"), "<vCard xmlns='vcard-temp'/>"])
async def test_nobody_publishes_for_another(place: Any, join: Any, payload: str) -> None:
    ada, eve = await join("ada"), await join("eve")
    answer = await eve.ask(payload, kind="set", to=ada.bare)
    assert (answer.error_type, answer.condition) == ("auth", "forbidden")


# ----------------------------------------------------------------------------------------------------------- visibility


async def test_a_stranger_gets_the_public_fields_and_a_contact_those_for_contacts(
    place: Any, join: Any, befriend: Any
) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    await befriend(ada, bob)
    await save(place, ada, nickName="Ada", status="Here", mobileNumber="+4930123456", email="ada@mail.test")
    await save(place, ada, visibility={"status": "nobody"})
    shown = {}
    for client in (bob, eve, ada):
        for request in (items(VCARD4), "<vCard xmlns='vcard-temp'/>"):
            answer = await client.ask(request, to=ada.bare)
            assert (answer.get("type"), answer.get("from")) == ("result", ada.bare)
            shown[client, request] = {
                text for text in ("Ada", "Here", "+4930123456", "ada@mail.test") if text in answer.xml
            }
    for request in (items(VCARD4), "<vCard xmlns='vcard-temp'/>"):
        assert shown[eve, request] == {"Ada"}
        assert shown[bob, request] == {"Ada", "+4930123456", "ada@mail.test"}
        assert shown[ada, request] == {"Ada", "Here", "+4930123456", "ada@mail.test"}


async def test_what_is_for_contacts_is_never_in_an_event_to_others(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await wants(bob, VCARD4, mark="urn:test:hidden")
    await save(place, ada, nickName="Ada", email="ada@mail.test", visibility={"email": "nobody"})
    told = await bob.so_far()
    assert events(told) == {(ada.bare, VCARD4): 1}
    assert "ada@mail.test" not in told[0].xml


async def test_items_that_are_not_there(place: Any, join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    for request, to in (
        (items(VCARD4), ada.bare),  # never saved
        (items(NICK), None),
        (items("urn:other"), ada.bare),
        (items(VCARD4), f"nobody@{ada.host}"),
    ):
        answer = await eve.ask(request, to=to)
        assert (answer.get("type"), answer.condition) == ("error", "item-not-found")
    answer = await eve.ask("<vCard xmlns='vcard-temp'/>", to=f"nobody@{ada.host}")
    assert answer.get("type") == "error"


# ------------------------------------------------------------------------------------------------------------ discovery


async def test_the_account_shows_its_eventing_service_to_itself_and_to_contacts(join: Any, befriend: Any) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    await befriend(ada, bob)
    await bob.so_far()
    info = f"<query xmlns='{NS_INFO}'/>"
    for client, to in ((ada, None), (ada, ada.bare), (bob, ada.bare)):
        answer = await client.ask(info, to=to)
        assert "<identity category='pubsub' type='pep'/>" in answer.xml
        assert "<feature var='http://jabber.org/protocol/pubsub#publish'/>" in answer.xml
    assert (await eve.ask(info, to=ada.bare)).condition == "service-unavailable"
    server = await ada.ask(info, to=ada.host)
    assert "<identity category='server' type='im' name='Heliograph'/>" in server.xml
    assert (await ada.ask(f"<query xmlns='{NS_INFO}' node='x'/>", to=ada.host)).condition == "item-not-found"
    listed = await bob.ask("<query xmlns='http://jabber.org/protocol/disco#items'/>", to=ada.bare)
    assert [item.get("node") for item in listed.element[0]][:2] == [VCARD4, NICK]
