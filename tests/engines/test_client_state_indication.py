"""Inactive clients over real sockets: what waits, and when it comes (XEP-0352)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

NS_CSI = "urn:xmpp:csi:0"
ACTIVE, INACTIVE = f"<active xmlns='{NS_CSI}'/>", f"<inactive xmlns='{NS_CSI}'/>"
NS_SM = "urn:xmpp:sm:3"


def statuses(stanzas: list[Any]) -> list[str | None]:
    return [each.element.findtext("{jabber:client}status") for each in stanzas if each.name == "presence"]


async def shows(client: Any, *texts: str) -> None:
    """Broadcast presences; the server has handled them."""
    await client.send(*(f"<presence><status>{text}</status></presence>" for text in texts))
    await client.so_far()


async def test_presence_waits_until_the_client_is_active_and_the_newest_counts(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await ada.so_far()
    await ada.send(INACTIVE, INACTIVE)
    await ada.so_far()  # the answer to a ping cannot wait: the server knows by now
    await shows(bob, "one", "two", "three")
    await ada.send(ACTIVE)
    assert statuses(await ada.so_far()) == ["three"]
    await shows(bob, "four")
    assert statuses(await ada.so_far()) == ["four"]


async def test_what_waits_goes_out_before_a_message(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await ada.so_far()
    await ada.send(INACTIVE)
    await ada.so_far()
    await shows(bob, "one", "two")
    await bob.send(f"<message to='{ada.jid}' type='chat'><body>hi</body></message>")
    came = [await ada.next(), await ada.next()]
    assert (statuses(came), [each.name for each in came]) == (["two"], ["presence", "message"])


async def test_it_goes_together_with_stream_management_whichever_comes_first(join: Any, befriend: Any) -> None:
    for first in ("state", "management"):
        ada, bob = await join("ada"), await join("bob")
        await befriend(ada, bob)
        await ada.so_far()
        enable = f"<enable xmlns='{NS_SM}'/>"
        await ada.send(*((INACTIVE, enable) if first == "state" else (enable, INACTIVE)))
        await ada.gets("enabled")
        await shows(bob, "one", "two")
        await ada.send(ACTIVE)
        got = await ada.gets("presence")
        assert statuses([got]) == ["two"]
        await ada.gets("r")
        await ada.send(f"<a xmlns='{NS_SM}' h='1'/>", f"<r xmlns='{NS_SM}'/>")
        assert (await ada.gets("a")).get("h") == "0"  # neither side counts what is no stanza


async def test_profile_events_wait_and_the_newest_counts(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await ada.send(
        "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='x'/></presence>"
    )
    asked = await ada.gets("iq", type="get")
    wanted = "<identity category='client' type='pc'/><feature var='urn:xmpp:vcard4+notify'/>"
    query = f"<query xmlns='http://jabber.org/protocol/disco#info'>{wanted}</query>"
    await ada.send(f"<iq type='result' id='{asked.get('id')}' to='{ada.host}'>{query}</iq>", INACTIVE)
    await ada.so_far()
    for name in ("B", "Bo", "Bob"):
        await place.call("PATCH", "/profile", bob.account, {"nickName": name})
    await ada.send(ACTIVE)
    told = await ada.so_far()
    assert [each.get("from") for each in told] == [bob.bare]
    assert "<text>Bob</text>" in told[0].xml


async def test_what_waits_is_not_lost_with_the_connection_and_a_resumed_client_is_active(
    place: Any, join: Any, befriend: Any
) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await ada.so_far()
    await ada.send(f"<enable xmlns='{NS_SM}' resume='true'/>", INACTIVE)
    stream_id = (await ada.gets("enabled")).get("id")
    await ada.send(f"<r xmlns='{NS_SM}'/>")
    await ada.gets("a")
    await shows(bob, "before")
    token = b64encode(f"\0{ada.account.username}\0{ada.account.password}".encode()).decode()
    wire = await place.open(ada.account)  # the old connection still stands, and gives way
    await wire.send(
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>",
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
        f"xmlns:stream='http://etherx.jabber.org/streams' to='{ada.host}' version='1.0'>",
        f"<resume xmlns='{NS_SM}' previd='{stream_id}' h='0'/>",
    )
    await wire.until(f"<resumed xmlns='{NS_SM}' previd='{stream_id}' h='0'/>")
    assert "<status>before</status>" in await wire.until("</presence>")
    await shows(bob, "after")
    assert "<status>after</status>" in await wire.until("</presence>")


async def test_other_elements_of_its_namespace_end_the_stream(join: Any) -> None:
    ada = await join("ada")
    await ada.send(f"<asleep xmlns='{NS_CSI}'/>")
    assert "<unsupported-stanza-type" in await ada.end()
