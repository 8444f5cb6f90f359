"""The profile's picture as an avatar (XEP-0084, XEP-0153, XEP-0398): set through any view, seen through all."""

from __future__ import annotations

import hashlib
import io
from base64 import b64decode, b64encode
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from heliograph.core import limits
from heliograph.core.apps import Environment
from heliograph.media.image_worker import Rendition, renditions

DATA, METADATA = "urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata"
PUBSUB = "http://jabber.org/protocol/pubsub"
UPDATE = "vcard-temp:x:update"


def picture(color: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(file, "PNG", **options)
    return file.getvalue()


def as_avatar(data: bytes) -> bytes:
    """What the server makes of a picture for XMPP clients."""
    ((_, _, made),) = renditions(data, [Rendition(192, "png")], limits.IMAGE_MAX_PIXELS)
    return made


RED, BLUE = as_avatar(picture("red")), as_avatar(picture("blue"))
"""Pictures that the server leaves as they are: they come back under their own SHA-1."""


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


async def test_a_picture_published_as_an_avatar_is_the_profiles(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(bob)
    assert f"<item id='{sha1(RED)}'/>" in (await ada.ask(data(RED), kind="set")).xml
    assert [got for got in await bob.so_far() if got.name == "message"] == []
    assert f"<item id='{sha1(RED)}'/>" in (await ada.ask(metadata(RED), kind="set")).xml
    told = await bob.gets("message", from_=ada.bare)
    assert (
        f"<item id='{sha1(RED)}'><metadata xmlns='{METADATA}'><info bytes='{len(RED)}' height='8' id='{sha1(RED)}'"
        in told.xml
    )
    assert photo(RED) in (await bob.gets("presence", from_=ada.jid)).xml
    image = (await place.call("GET", f"/profiles/{ada.account.username}", bob.account))["image"]
    assert (await place.http.get(f"{image}-192.png")).content == RED
    assert b64encode(RED).decode() in (await bob.ask(items(DATA), to=ada.bare)).xml
    vcard = await bob.ask("<vCard xmlns='vcard-temp'/>", to=ada.bare)
    assert f"<TYPE>image/png</TYPE><BINVAL>{b64encode(RED).decode()}</BINVAL>" in vcard.xml


async def test_a_picture_set_over_http_is_an_avatar(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(bob)
    await upload(place, ada, BLUE)
    assert f"id='{sha1(BLUE)}'" in (await bob.gets("message", from_=ada.bare)).xml
    assert photo(BLUE) in (await bob.gets("presence", from_=ada.jid)).xml
    assert f"id='{sha1(BLUE)}' type='image/png' width='8'/>" in (await bob.ask(items(METADATA), to=ada.bare)).xml


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


async def test_an_avatar_is_named_by_the_bytes_that_clients_get(pair: Any, place: Any) -> None:
    ada, bob = pair
    await listen(bob)
    notes = PngInfo()
    notes.add_text("Comment", "taken at 52.5 N 13.4 E")
    sent = picture("green", pnginfo=notes)
    got = as_avatar(sent)
    assert got != sent
    await ada.ask(data(sent), kind="set")
    await ada.ask(metadata(sent), kind="set")
    told = (await bob.gets("message", from_=ada.bare)).xml
    assert f"<info bytes='{len(got)}' height='8' id='{sha1(got)}' type='image/png' width='8'/>" in told
    assert photo(got) in (await bob.gets("presence", from_=ada.jid)).xml
    shown = (await bob.ask(items(DATA), to=ada.bare)).xml
    assert f"<item id='{sha1(got)}'>" in shown
    assert b64encode(got).decode() in shown
    image = (await place.call("GET", "/profile", ada.account))["image"]
    assert (await place.http.get(f"{image}-192.png")).content == got


async def test_a_large_picture_is_sent_to_clients_in_a_small_form(pair: Any, place: Any) -> None:
    ada, bob = pair
    file = io.BytesIO()
    Image.effect_noise((1000, 1000), 90).convert("RGB").save(file, "JPEG", quality=95)
    await upload(place, ada, file.getvalue())
    shown = await bob.ask(items(DATA), to=ada.bare)
    got = b64decode(shown.xml.partition(f"<data xmlns='{DATA}'>")[2].partition("</data>")[0])
    assert Image.open(io.BytesIO(got)).size == (192, 192)
    assert f"id='{sha1(got)}'" in (await bob.ask(items(METADATA), to=ada.bare)).xml


async def test_a_client_that_sends_back_the_avatar_it_got_does_not_make_the_picture_smaller(
    pair: Any, place: Any
) -> None:
    ada, _bob = pair
    file = io.BytesIO()
    Image.new("RGB", (800, 800), "red").save(file, "PNG")
    await upload(place, ada, file.getvalue())
    before = (await place.call("GET", "/profile", ada.account))["image"]
    vcard = (await ada.ask("<vCard xmlns='vcard-temp'/>")).xml
    got = vcard.partition("<BINVAL>")[2].partition("</BINVAL>")[0]
    binval = f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{got}</BINVAL></PHOTO>"
    await ada.ask(f"<vCard xmlns='vcard-temp'><FN>Ada L</FN>{binval}</vCard>", kind="set")
    await ada.ask(data(b64decode(got)), kind="set")
    await ada.ask(metadata(b64decode(got)), kind="set")
    after = await place.call("GET", "/profile", ada.account)
    assert (after["nickName"], after["image"]) == ("Ada L", before)


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
        (data(RED[:40]), "bad-request"),
        (data(RED[:16] + b"\x7f" * 8 + RED[24:]), "bad-request"),
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
