"""Signing in with all that a stream begins with in one request (XEP-0388, XEP-0386), over real sockets."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from wires import Client

NS = "urn:xmpp:sasl:2"
HOST = "sandbox.chat.localhost"
CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770"
AGENT = f"<user-agent id='{CLIENT}'/>"
BIND = "<bind xmlns='urn:xmpp:bind:0'><tag>Test</tag>{}</bind>"
MANAGE = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
CARBONS = "<enable xmlns='urn:xmpp:carbons:2'/>"


def authenticate(account: Any, wishes: str) -> str:
    message = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    return (
        f"<authenticate xmlns='{NS}' mechanism='PLAIN'><initial-response>{message}</initial-response>{wishes}"
        "</authenticate>"
    )


async def success(wire: Any) -> Element:
    """The success, whose features have come too."""
    text = await wire.until("</success>")
    await wire.until("</stream:features>")
    return fromstring(text)


def identifier(answer: Element) -> str:
    return answer.findtext(f"{{{NS}}}authorization-identifier") or ""


async def join_inline(
    place: Any, account: Any, wishes: str = BIND.format(""), *, agent: str = AGENT
) -> tuple[Client, Element]:
    """A client that is bound by its sign-in."""
    wire = await place.open(account)
    await wire.send(authenticate(account, agent + wishes))
    answer = await success(wire)
    header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    return Client(wire, account, identifier(answer), header), answer


async def test_a_client_signs_in_and_is_bound_in_one_request(place: Any) -> None:
    account = await place.register(place.name("ada"))
    client, answer = await join_inline(place, account)
    assert client.jid.startswith(f"{account.jid}/Test/")
    assert CLIENT not in client.jid
    assert answer.find("{urn:xmpp:bind:0}bound") is not None
    await client.send("<presence/>")
    await client.so_far()
    assert place.node.engine.online(account.jid) == [client.jid]


async def test_without_a_wish_the_resource_is_bound_in_the_old_way(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire = await place.open(account)
    await wire.send(authenticate(account, ""))
    assert identifier(await success(wire)) == account.jid
    await wire.send(
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>"
    )
    assert f"<jid>{account.jid}/x</jid>" in await wire.until("</iq>")


async def test_a_client_keeps_its_resource_and_its_older_stream_gives_way(place: Any) -> None:
    account = await place.register(place.name("ada"))
    first, _ = await join_inline(place, account)
    second, _ = await join_inline(place, account)
    assert second.jid == first.jid
    assert "<conflict " in await first.end()
    third, _ = await join_inline(place, account, BIND.format("").replace("Test", "Other"))
    assert third.jid != second.jid
    assert "<conflict " in await second.end()


async def test_other_clients_of_the_user_stay(place: Any) -> None:
    account = await place.register(place.name("ada"))
    first, _ = await join_inline(place, account)
    second, _ = await join_inline(place, account, agent=AGENT.replace("d4565fa7", "00000000"))
    third, _ = await join_inline(place, account, agent="")
    assert len({first.jid, second.jid, third.jid}) == 3
    for client in (first, second, third):
        assert await client.so_far() == []


@pytest.mark.parametrize("tag", ["&#x7f;", "x" * 1024, ""])
async def test_a_tag_that_can_stand_in_no_resource_is_left_out(place: Any, tag: str) -> None:
    account = await place.register(place.name("ada"))
    client, _ = await join_inline(place, account, BIND.format("").replace("Test", tag))
    assert client.jid.count("/") == 1


async def test_carbons_and_stream_management_begin_with_the_session(place: Any, again: Any) -> None:
    account = await place.register(place.name("ada"))
    client, answer = await join_inline(place, account, BIND.format(MANAGE + CARBONS))
    enabled = answer.find("{urn:xmpp:bind:0}bound/{urn:xmpp:sm:3}enabled")
    assert enabled is not None
    assert enabled.get("resume") == "true"
    other = await again(client, "other")
    await other.send(f"<message type='chat' to='{account.jid}/none' id='m1'><body>hi</body></message>")
    got = await client.gets("message")
    assert "urn:xmpp:carbons:2" in got.xml
    await client.send("<r xmlns='urn:xmpp:sm:3'/>")
    assert (await client.gets("a")).get("h") == "0"


async def test_the_client_is_told_where_the_archive_ends(place: Any, join: Any) -> None:
    """XEP-0386, section 3.2: by that it knows what it has missed."""
    account = await place.register(place.name("ada"))
    path = "{urn:xmpp:bind:0}bound/{urn:xmpp:mam:2}metadata"
    _, empty = await join_inline(place, account)
    found = empty.find(path)
    assert found is not None
    assert len(found) == 0
    bob = await join("bob")
    await bob.send(f"<message type='chat' to='{account.jid}' id='m1'><body>hi</body></message>")
    await bob.so_far()
    await place.node.ports.archive.flush()
    _, answer = await join_inline(place, account)
    found = answer.find(path)
    assert found is not None
    assert [child.tag for child in found] == ["{urn:xmpp:mam:2}start", "{urn:xmpp:mam:2}end"]
    assert found[0].get("id") == found[1].get("id")


async def test_a_session_can_begin_inactive(place: Any) -> None:
    account = await place.register(place.name("ada"))
    client, _ = await join_inline(place, account, BIND.format("<inactive xmlns='urn:xmpp:csi:0'/>"))
    resource = place.node.engine.router.full[client.jid]
    assert type(resource.outlet).__name__ == "HoldingOutlet"
    await client.send("<active xmlns='urn:xmpp:csi:0'/>")
    await client.so_far()
    assert type(resource.outlet).__name__ != "HoldingOutlet"


async def test_a_lost_stream_goes_on_with_the_sign_in_and_nothing_is_bound(place: Any, becomes: Any) -> None:
    account = await place.register(place.name("ada"))
    client, answer = await join_inline(place, account, BIND.format(MANAGE))
    enabled = answer.find("{urn:xmpp:bind:0}bound/{urn:xmpp:sm:3}enabled")
    assert enabled is not None
    client.wire.reset()
    await becomes(lambda: client.jid in place.node.engine.router.full)
    sender = await place.sign_in(await place.register(place.name("bob")))
    await becomes(lambda: bool(place.node.engine.managed._waiting))
    await sender.send(f"<message type='chat' to='{client.jid}' id='m1'><body>hi</body></message>")
    await sender.so_far()
    resume = f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='0'/>"
    back, again = await join_inline(place, account, resume + BIND.format(MANAGE))
    assert back.jid == client.jid
    resumed = again.find("{urn:xmpp:sm:3}resumed")
    assert resumed is not None
    assert resumed.get("previd") == enabled.get("id")
    assert again.find("{urn:xmpp:bind:0}bound") is None
    assert (await back.gets("message")).get("id") == "m1"


async def test_where_no_stream_can_go_on_the_client_is_told_and_bound(place: Any) -> None:
    """XEP-0198, section 6.2: the failure stands beside what the bind brings."""
    account = await place.register(place.name("ada"))
    resume = "<resume xmlns='urn:xmpp:sm:3' previd='nothing' h='0'/>"
    client, answer = await join_inline(place, account, resume + BIND.format(MANAGE))
    failed = answer.find("{urn:xmpp:sm:3}failed")
    assert failed is not None
    assert failed[0].tag.endswith("item-not-found")
    assert client.jid.startswith(f"{account.jid}/Test/")


async def test_another_session_takes_up_no_stream(place: Any) -> None:
    account = await place.register(place.name("ada"))
    client, answer = await join_inline(place, account, BIND.format(MANAGE))
    enabled = answer.find("{urn:xmpp:bind:0}bound/{urn:xmpp:sm:3}enabled")
    assert enabled is not None
    other = await place.register(account.username)
    resume = f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='0'/>"
    _, refused = await join_inline(place, other, resume + BIND.format(""), agent="")
    assert refused.find("{urn:xmpp:sm:3}failed") is not None
    assert await client.so_far() == []


async def test_a_session_that_ends_while_its_client_is_let_in_is_told_so(
    place: Any, gated: Any, looked_up_at_bind: Any
) -> None:
    account = await place.register(place.name("ada"))
    await looked_up_at_bind(account)
    wire = await place.open(account)
    with gated("sign_ins", "signed_in") as gate:
        await wire.send(authenticate(account, AGENT + BIND.format("")))
        await gate.entered.wait()
        await place.call("DELETE", f"/sessions/{account.session_id}", account)
        gate.opened.set()
        assert "<not-authorized " in await wire.rest()
    assert place.node.engine.router.resources(account.jid) == []


async def test_an_account_with_too_many_resources_is_let_in_and_told_when_it_binds(place: Any) -> None:
    account = await place.register(place.name("ada"))
    for _ in range(100):
        await place.sign_in(account)
    wire = await place.open(account)
    await wire.send(authenticate(account, BIND.format("")))
    assert identifier(await success(wire)) == account.jid
    await wire.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert "<resource-constraint " in await wire.until("</iq>")
