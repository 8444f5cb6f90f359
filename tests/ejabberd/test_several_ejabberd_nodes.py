"""One node over two ejabberd nodes in a cluster: it must not matter to which of them a user is connected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ejabberd_clients import PUBSUB, bare_client, ends, event_of, until, watching_client
from ejabberd_places import running_on_a_cluster
from ejabberd_server import PROGRAM
from heliograph.core.sessions import EndReason
from wires import Client

pytestmark = pytest.mark.cluster

NICK = "http://jabber.org/protocol/nick"
VCARD4 = "urn:xmpp:vcard4"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Any]:
    if PROGRAM is None:
        pytest.skip("ejabberd is not here: scripts/install-ejabberd")
    async with running_on_a_cluster(tmp_path, log_level="warning") as (places, servers):
        yield places, servers


async def test_users_at_different_ejabberd_nodes_see_each_other_and_are_served_alike(cluster: Any) -> None:
    places, _ = cluster
    one, other = places
    engine = one.node.engine
    accounts = [await one.register(name) for name in ("ada", "bob")]
    ada, bob = [
        await watching_client(place, account, NICK, VCARD4) for place, account in zip(places, accounts, strict=True)
    ]
    await one.call("PUT", "/contacts/bob", ada.account)
    await bob.gets("presence", from_=ada.jid)

    # A change by the API, and one by a plain client at each of the ejabberd nodes.
    await one.call("PATCH", "/profile", ada.account, {"nickName": "Ada"})
    await event_of(bob, VCARD4, "Ada")
    await event_of(bob, NICK, "Ada")
    for writer, reader, name in ((ada, bob, "Ada by vCard"), (bob, ada, "Bob by vCard")):
        card = f"<vCard xmlns='vcard-temp'><FN>{name}</FN></vCard>"
        assert (await writer.ask(card, kind="set")).get("type") == "result"
        await event_of(reader, VCARD4, name)
        assert f"<FN>{name}</FN>" in (await reader.ask("<vCard xmlns='vcard-temp'/>", to=writer.bare)).xml
        items = f"<pubsub xmlns='{PUBSUB}'><items node='{NICK}'/></pubsub>"
        assert name in (await reader.ask(items, to=writer.bare)).xml

    # Who is there, and who was.
    for asking, contact in ((ada, "bob"), (bob, "ada")):
        assert (await one.call("GET", f"/last-seen/{contact}", asking.account))["isOnline"]
    await bob.send("<presence type='unavailable'/>")
    await ada.gets("presence", type="unavailable")
    await until(lambda: bob.jid not in engine.router.full)
    assert not (await one.call("GET", "/last-seen/bob", ada.account))["isOnline"]

    # A session that ends, at either of the nodes.
    for place, ejabberd_client in ((one, ada), (other, await bare_client(other, await one.register("carol")))):
        await place.call("DELETE", "/sessions/current", ejabberd_client.account)
        assert "urn:heliograph:session:1#logout" in await ends(ejabberd_client)


async def test_what_one_ejabberd_node_does_goes_on_while_the_other_is_dead(cluster: Any) -> None:
    places, servers = cluster
    one, other = places
    engine = one.node.engine
    ada, account = await one.register("ada"), await one.register("bob")
    await one.call("PUT", "/contacts/bob", ada)
    bob = await watching_client(other, account, VCARD4)
    await until(lambda: engine.router.full[bob.jid].session_id != "" if bob.jid in engine.router.full else False)
    await servers[0].kill()
    await one.call("PATCH", "/profile", ada, {"nickName": "Ada"})
    await event_of(bob, VCARD4, "Ada")
    assert "Ada" in (await bob.ask("<vCard xmlns='vcard-temp'/>", to=ada.jid)).xml
    assert engine.is_reachable
    (session_id,) = {each.session_id for each in engine.router.full.values()}
    engine.disconnect_session(account.jid, session_id, EndReason.ENDED_BY_ADMIN)
    assert "urn:heliograph:session:1#ended_by_admin" in await ends(bob)

    await servers[0].start()
    late = await _back(one, ada)
    await one.call("PATCH", "/profile", await one.register("bob"), {"nickName": "Bob"})
    await event_of(late, VCARD4, "Bob")


async def _back(place: Any, account: Any) -> Client:
    """A client of an ejabberd node that has come back, once that node passes requests on."""
    engine = place.node.engine
    first = engine.links[0]
    await until(lambda: engine.mirror.grants.leads(first, account.jid.partition("@")[2]))
    return await watching_client(place, account, VCARD4)
