"""The profile's picture as an avatar (XEP-0084, XEP-0153, XEP-0398): set through any view, seen through all."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from typing import Any

import pytest
from PIL import Image

from heliograph.core import limits
from heliograph.core.apps import Environment

DATA, METADATA = "urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata"
PUBSUB = "http://jabber.org/protocol/pubsub"
UPDATE = "vcard-temp:x:update"


def picture(color: str, size: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), color).save(file, "PNG")
    return file.getvalue()


RED, BLUE = picture("red"), picture("blue")


def sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def publish(node: str, item_id: str, payload: str) -> str:
    item = f"<item id='{item_id}'>{payload}</item>"
    return f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'>{item}</publish></pubsub>"


def data(content: bytes) -> str:
    return publish(DATA, sha1(content), f"<data xmlns='{DATA}'>{b64encode(content).decode()}</data>")


def metadata(content: bytes) -> str:
    info = f"<info bytes='{len(content)}' id='{sha1(content)}' type='image/png'/>"
    return publish(METADATA, sha1(content), f"<metadata xmlns='{METADATA}'>{info}</metadata>")


def items(node: str) -> str:
    return f"<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>"


def photo(content: bytes | None) -> str:
    return f"<x xmlns='{UPDATE}'><photo>{sha1(content)}</photo></x>" if content else f"<x xmlns='{UPDATE}'><photo/></x>"


async def listen(client: Any) -> list[Any]:
    """Say that avatars are wanted; what then comes."""
    caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='unverified'/>"
    await client.send(f"<presence>{caps}</presence>")
    asked = await client.gets("iq", type="get")
    content = f"<identity category='client' type='pc'/><feature var='{METADATA}+notify'/>"
    query = f"<query xmlns='http://jabber.org/protocol/disco#info'>{content}</query>"
    await client.send(f"<iq type='result' id='{asked.get('id')}' to='{client.host}'>{query}</iq>")
    return [got for got in await client.so_far() if got.name == "message"]


async def upload(place: Any, client: Any, content: bytes) -> None:
    headers = {"Authorization": f"Bearer {client.account.token}", "Content-Type": "image/png"}
    headers["Heliograph-Key"] = place.key(Environment.SANDBOX)
    answer = await place.http.post("/api/v1/media", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    changes = {"nickName": "Ada", "image": answer.json()["data"]["fileToken"]}
    await place.call("PATCH", "/profile", client.account, changes)


@pytest.fixture
async def pair(join: Any, befriend: Any) -> Any:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await ada.so_far()
    await bob.so_far()
    return ada, bob


async def test_a_picture_published_as_an_avatar_is_the_profiles(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(bob)
    assert f"<item id='{sha1(RED)}'/>" in (await ada.ask(data(RED), kind="set")).xml
    assert [got for got in await bob.so_far() if got.name == "message"] == []
    assert f"<item id='{sha1(RED)}'/>" in (await ada.ask(metadata(RED), kind="set")).xml
    told = await bob.gets("message", from_=ada.bare)
    assert f"<item id='{sha1(RED)}'><metadata xmlns='{METADATA}'><info bytes='{len(RED)}' id='{sha1(RED)}'" in told.xml
    assert photo(RED) in (await bob.gets("presence", from_=ada.jid)).xml
    image = (await place.call("GET", f"/profiles/{ada.account.username}", bob.account))["image"]
    assert (await place.http.get(image)).content == RED
    assert b64encode(RED).decode() in (await bob.ask(items(DATA), to=ada.bare)).xml
    vcard = await bob.ask("<vCard xmlns='vcard-temp'/>", to=ada.bare)
    assert f"<TYPE>image/png</TYPE><BINVAL>{b64encode(RED).decode()}</BINVAL>" in vcard.xml


async def test_a_picture_set_over_http_is_an_avatar(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(bob)
    await upload(place, ada, BLUE)
    assert f"id='{sha1(BLUE)}'" in (await bob.gets("message", from_=ada.bare)).xml
    assert photo(BLUE) in (await bob.gets("presence", from_=ada.jid)).xml
    assert f"id='{sha1(BLUE)}' type='image/png'/>" in (await bob.ask(items(METADATA), to=ada.bare)).xml


async def test_a_picture_set_in_a_vcard_is_an_avatar(pair: Any) -> None:
    ada, bob = pair
    await listen(bob)
    binval = f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{b64encode(RED).decode()}</BINVAL></PHOTO>"
    await ada.ask(f"<vCard xmlns='vcard-temp'><FN>Ada</FN>{binval}</vCard>", kind="set")
    assert f"id='{sha1(RED)}'" in (await bob.gets("message", from_=ada.bare)).xml


async def test_an_avatar_that_is_switched_off_is_gone_everywhere(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(bob)
    await upload(place, ada, RED)
    await bob.gets("presence", from_=ada.jid)
    off = publish(METADATA, "off", f"<metadata xmlns='{METADATA}'/>")
    assert (await ada.ask(off, kind="set")).get("type") == "result"
    assert f"<metadata xmlns='{METADATA}'/>" in (await bob.gets("message", from_=ada.bare)).xml
    assert (await bob.gets("presence", from_=ada.jid)).xml.endswith(f"{photo(None)}</presence>")
    assert (await place.call("GET", "/profile", ada.account))["image"] == ""
    for node in (DATA, METADATA):
        assert (await bob.ask(items(node), to=ada.bare)).condition == "item-not-found"


async def test_who_connects_gets_the_avatar_and_says_its_own(pair: Any, place: Any, again: Any) -> None:
    ada, bob = pair
    await upload(place, ada, RED)
    await ada.gets("presence", from_=ada.jid)
    (told,) = await listen(await again(bob, is_present=False))
    assert f"id='{sha1(RED)}'" in told.xml
    await bob.so_far()
    stale = "<x xmlns='vcard-temp:x:update'><photo>0123456789012345678901234567890123456789</photo></x>"
    tablet = await again(ada, is_present=False)
    await tablet.send(f"<presence>{stale}<show>away</show></presence>")
    shown = (await bob.gets("presence", from_=tablet.jid)).xml
    assert shown.endswith(f"<show>away</show>{photo(RED)}</presence>")
    assert "0123456789" not in shown


async def test_a_hidden_picture_is_shown_to_oneself_alone(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(ada)
    await listen(bob)
    await place.call("PATCH", "/profile", ada.account, {"visibility": {"image": "nobody"}})
    await upload(place, ada, RED)
    assert f"id='{sha1(RED)}'" in (await ada.gets("message", from_=ada.bare)).xml
    told = [got.xml for got in await bob.so_far()]
    assert not any(sha1(RED) in xml for xml in told)
    assert (await bob.ask(items(METADATA), to=ada.bare)).condition == "item-not-found"
    assert sha1(RED) in (await ada.ask(items(METADATA))).xml


async def test_a_large_picture_is_named_and_not_sent(pair: Any, place: Any) -> None:
    ada, bob = pair
    large = RED + bytes(limits.AVATAR_DATA_MAX_BYTES)
    await upload(place, ada, large)
    image = (await place.call("GET", "/profile", ada.account))["image"]
    assert f"url='{image}'" in (await bob.ask(items(METADATA), to=ada.bare)).xml
    assert (await bob.ask(items(DATA), to=ada.bare)).condition == "item-not-found"
    assert f"<EXTVAL>{image}</EXTVAL>" in (await bob.ask("<vCard xmlns='vcard-temp'/>", to=ada.bare)).xml


async def test_a_picture_of_a_foreign_address_has_no_avatar(pair: Any, place: Any) -> None:
    ada, bob = pair
    await place.call("PATCH", "/profile", ada.account, {"image": "https://pictures.example/a.png"})
    assert (await bob.ask(items(METADATA), to=ada.bare)).condition == "item-not-found"


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (metadata(b"unknown"), "item-not-found"),
        (publish(DATA, sha1(BLUE), f"<data xmlns='{DATA}'>{b64encode(RED).decode()}</data>"), "bad-request"),
        (publish(DATA, sha1(b"text"), f"<data xmlns='{DATA}'>{b64encode(b'text').decode()}</data>"), "bad-request"),
        (publish(DATA, "x", f"<metadata xmlns='{METADATA}'/>"), "bad-request"),
        (publish(METADATA, "x", f"<metadata xmlns='{METADATA}'><info id='1'/></metadata>"), "bad-request"),
    ],
)
async def test_what_is_no_avatar_is_refused(pair: Any, payload: str, condition: str) -> None:
    ada, _bob = pair
    assert (await ada.ask(payload, kind="set")).condition == condition


async def test_a_picture_that_is_hidden_later_is_taken_back(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(bob)
    await upload(place, ada, RED)
    await bob.gets("presence", from_=ada.jid)
    await place.call("PATCH", "/profile", ada.account, {"visibility": {"image": "nobody"}})
    assert f"<metadata xmlns='{METADATA}'/>" in (await bob.gets("message", from_=ada.bare)).xml
    assert photo(None) in (await bob.gets("presence", from_=ada.jid)).xml
