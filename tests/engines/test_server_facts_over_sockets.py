"""What a server tells of itself and of its accounts' last activity."""

from __future__ import annotations

from base64 import b64encode
from importlib.metadata import version
from typing import Any

from heliograph.xmpp import caps, disco

INFO = "<query xmlns='http://jabber.org/protocol/disco#info'{}/>"
ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'{}/>"
VCARD = "<vCard xmlns='vcard-temp'/>"
LAST = "<query xmlns='jabber:iq:last'/>"


async def test_the_version_is_told_and_nothing_of_the_machine(join: Any) -> None:
    ada = await join()
    answer = await ada.ask("<query xmlns='jabber:iq:version'/>", to=ada.host)
    assert [(part.tag.rpartition("}")[2], part.text) for part in answer.element[0]] == [
        ("name", "Heliograph"),
        ("version", version("heliograph")),
    ]


async def test_the_time_is_told(join: Any) -> None:
    ada = await join()
    answer = await ada.ask("<time xmlns='urn:xmpp:time'/>", to=ada.host)
    assert "<tzo>+00:00</tzo><utc>20" in answer.xml


async def test_the_capabilities_in_the_stream_features_stand_for_what_the_server_says(place: Any, join: Any) -> None:
    ada = await join()
    wire = await place.dial()
    header = f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='{ada.host}' version='1.0'"
    header += " xmlns:stream='http://etherx.jabber.org/streams'>"
    token = b64encode(f"\0{ada.account.username}\0{ada.account.password}".encode()).decode()
    await wire.send(header, f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>", header)
    await wire.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    features = await wire.until("</stream:features>")
    ver = features.partition(" ver='")[2].partition("'")[0]
    node = f"urn:heliograph:server#{ver}"
    answer = await ada.ask(INFO.format(f" node='{node}'"), to=ada.host)
    info = disco.parse_info(answer.element[0])
    assert caps.verification_string(info, "sha-1") == ver
    assert answer.element[0].get("node") == node
    assert (await ada.ask(INFO.format(" node='urn:heliograph:server#else'"), to=ada.host)).condition == "item-not-found"


async def test_contact_addresses_are_told_where_they_are_set(start: Any) -> None:
    place = await start(abuse_addresses="mailto:abuse@chat.example, xmpp:abuse@chat.example")
    ada = await place.sign_in(await place.register("ada"))
    answer = await ada.ask(INFO.format(""), to=ada.host)
    (form,) = disco.parse_info(answer.element[0]).forms
    assert [(field.var, field.values) for field in form.fields] == [
        ("FORM_TYPE", ("http://jabber.org/network/serverinfo",)),
        ("abuse-addresses", ("mailto:abuse@chat.example", "xmpp:abuse@chat.example")),
    ]


async def test_last_activity_is_for_contacts(join: Any, befriend: Any) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    await befriend(ada, bob)
    assert (await bob.ask(LAST, to=ada.bare)).element[0].get("seconds") == "0"
    assert (await ada.ask(LAST)).element[0].get("seconds") == "0"
    assert (await eve.ask(LAST, to=ada.bare)).condition == "forbidden"
    assert (await eve.ask(LAST, to=f"nobody@{eve.host}")).condition == "item-not-found"
    await ada.send("</stream:stream>")
    await ada.end()
    assert int((await bob.ask(LAST, to=ada.bare)).element[0].get("seconds")) < 60


async def test_the_server_tells_how_long_it_is_up(join: Any) -> None:
    ada = await join()
    assert int((await ada.ask(LAST, to=ada.host)).element[0].get("seconds")) >= 0


async def test_to_a_stranger_an_account_has_no_items_like_one_that_does_not_exist(join: Any, befriend: Any) -> None:
    """XEP-0030, section 8."""
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    await befriend(ada, bob)
    for jid in (ada.bare, f"nobody@{eve.host}"):
        for node in ("", " node='urn:xmpp:vcard4'"):
            answer = await eve.ask(ITEMS.format(node), to=jid)
            assert (answer.get("type"), list(answer.element[0])) == ("result", [])
    assert len((await bob.ask(ITEMS.format(""), to=ada.bare)).element[0]) > 1
    leaf = (await bob.ask(ITEMS.format(" node='urn:xmpp:vcard4'"), to=ada.bare)).element[0]
    assert (leaf.get("node"), list(leaf)) == ("urn:xmpp:vcard4", [])
    for jid in (ada.bare, bob.host):
        assert (await bob.ask(ITEMS.format(" node='urn:none'"), to=jid)).condition == "item-not-found"


async def test_an_empty_vcard_is_no_sign_that_somebody_exists(place: Any, join: Any) -> None:
    """XEP-0054, section 3.3."""
    ada, eve = await join("ada"), await join("eve")
    for jid in (ada.bare, f"nobody@{eve.host}"):
        assert (await eve.ask(VCARD, to=jid)).condition == "item-not-found"
    assert (await ada.ask(VCARD)).get("type") == "result"
    await place.call("PATCH", "/profile", ada.account, {"nickName": "Ada"})
    assert (await eve.ask(VCARD, to=ada.bare)).get("type") == "result"
