"""One profile in all its views, and who hears of a change: the same on every engine."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from typing import Any

import pytest
from PIL import Image

from ejabberd_clients import PUBSUB, event_of
from heliograph.sdk.events import ProfileUpdate

NICK = "http://jabber.org/protocol/nick"
VCARD4 = "urn:xmpp:vcard4"
AVATAR = "urn:xmpp:avatar:metadata"


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 64), "purple").save(made, "PNG")
    return made.getvalue()


async def test_a_change_reaches_the_own_devices_and_the_contacts_and_nobody_else(join: Any, user: Any) -> None:
    name, friend, stranger = user("ada"), user("bob"), user("eve")
    ada, tablet, bob, eve = await join(name), await join(name), await join(friend), await join(stranger)
    await ada.sdk.add_contact(friend)
    await ada.sdk.set_user_profile("Ada", None, "Here")
    for device in (ada, tablet, bob):
        assert (await device.sees(name, "Ada")).status == "Here"
    await eve.sdk.set_user_profile("Eve")
    update = await eve.hears(ProfileUpdate)
    assert update.user_id == stranger


async def test_a_contact_hears_of_a_change_while_its_owner_is_offline(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name, is_connected=False), await join(friend)
    await ada.sdk.add_contact(friend)
    await ada.sdk.set_user_profile("Ada")
    await bob.sees(name, "Ada")


async def test_a_contact_that_was_away_gets_the_newest_profile_when_it_connects(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name), await join(friend, is_connected=False)
    await ada.sdk.add_contact(friend)
    for number in (1, 2, 3):
        await ada.sdk.set_user_profile(f"Ada {number}")
    await bob.sdk.connect(friend, bob.password)
    assert (await bob.hears(ProfileUpdate, lambda update: update.user_id == name)).nick_name == "Ada 3"


@pytest.mark.parametrize("is_present", [True, False], ids=["present", "away"])
async def test_every_view_shows_the_record(plain_client: Any, place: Any, user: Any, is_present: bool) -> None:
    name, friend = user("ada"), user("bob")
    bob = await plain_client(friend)
    account = (await plain_client(name)).account if is_present else await place.register(name)
    await place.call("PUT", f"/contacts/{friend}", account)
    await place.call("PATCH", "/profile", account, {"nickName": "Ada"})
    await event_of(bob, VCARD4, "Ada")
    await event_of(bob, NICK, "Ada")
    old = await bob.ask("<vCard xmlns='vcard-temp'/>", to=account.jid)
    assert "<NICKNAME>Ada</NICKNAME>" in old.xml
    for node in (NICK, VCARD4):
        items = await bob.ask(f"<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>", to=account.jid)
        assert "Ada" in items.xml


async def test_what_a_plain_client_says_of_itself_changes_the_record_and_reaches_everyone(
    plain_client: Any, place: Any, join: Any, user: Any
) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await plain_client(name), await join(friend)
    await bob.sdk.add_contact(name)

    async def stored() -> Any:
        return (await place.call("GET", "/profile", ada.account))["nickName"]

    answer = await ada.ask("<vCard xmlns='vcard-temp'><FN>Ada by vCard</FN></vCard>", kind="set")
    assert answer.get("type") == "result"
    await bob.sees(name, "Ada by vCard")
    assert await stored() == "Ada by vCard"

    nick = f"<publish node='{NICK}'><item id='current'><nick xmlns='{NICK}'>Ada by nick</nick></item></publish>"
    assert (await ada.ask(f"<pubsub xmlns='{PUBSUB}'>{nick}</pubsub>", kind="set")).get("type") == "result"
    await bob.sees(name, "Ada by nick")

    card = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Ada by vCard4</text></fn></vcard>"
    publish = f"<publish node='{VCARD4}'><item id='current'>{card}</item></publish>"
    assert (await ada.ask(f"<pubsub xmlns='{PUBSUB}'>{publish}</pubsub>", kind="set")).get("type") == "result"
    await bob.sees(name, "Ada by vCard4")
    assert await stored() == "Ada by vCard4"


async def test_a_picture_that_a_plain_client_publishes_is_everyones(plain_client: Any, place: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await plain_client(name), await plain_client(friend)
    await place.call("PUT", f"/contacts/{friend}", ada.account)
    data = picture()
    identity = hashlib.sha1(data).hexdigest()
    payload = f"<data xmlns='urn:xmpp:avatar:data'>{b64encode(data).decode()}</data>"
    publish = f"<publish node='urn:xmpp:avatar:data'><item id='{identity}'>{payload}</item></publish>"
    assert (await ada.ask(f"<pubsub xmlns='{PUBSUB}'>{publish}</pubsub>", kind="set")).get("type") == "result"
    info = f"<info id='{identity}' type='image/png' bytes='{len(data)}' width='64' height='64'/>"
    publish = (
        f"<publish node='{AVATAR}'><item id='{identity}'><metadata xmlns='{AVATAR}'>{info}</metadata></item></publish>"
    )
    assert (await ada.ask(f"<pubsub xmlns='{PUBSUB}'>{publish}</pubsub>", kind="set")).get("type") == "result"
    told = await event_of(bob, AVATAR, "<info")
    shown = told.element.find(f".//{{{AVATAR}}}info")
    assert shown is not None
    items = f"<items node='urn:xmpp:avatar:data'><item id='{shown.get('id')}'/></items>"
    found = await bob.ask(f"<pubsub xmlns='{PUBSUB}'>{items}</pubsub>", to=ada.bare)
    assert found.get("type") == "result"
    old = await bob.ask("<vCard xmlns='vcard-temp'/>", to=ada.bare)
    assert "<BINVAL>" in old.xml
    assert (await place.call("GET", "/profile", ada.account))["image"]


async def test_other_nodes_of_a_users_own_are_kept_and_told(plain_client: Any, place: Any, user: Any) -> None:
    node = "urn:example:tune"
    name, friend = user("ada"), user("bob")
    ada, bob = await plain_client(name), await plain_client(friend, node)
    await place.call("PUT", f"/contacts/{friend}", ada.account)
    publish = f"<publish node='{node}'><item id='one'><tune xmlns='{node}'>La</tune></item></publish>"
    assert (await ada.ask(f"<pubsub xmlns='{PUBSUB}'>{publish}</pubsub>", kind="set")).get("type") == "result"
    await event_of(bob, node, "La")
    found = await bob.ask(f"<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>", to=ada.bare)
    assert "La" in found.xml
