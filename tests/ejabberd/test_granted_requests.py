"""A contact request that waits at ejabberd, and is granted by way of the API: both sides are told in either order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ejabberd_clients import bare_client
from heliograph.engines.ejabberd.chores import LANES
from heliograph.engines.ejabberd.engine import EjabberdEngine
from heliograph.xmpp.presence import Kind, presence_xml


@pytest.mark.parametrize("late", [0, 1], ids=["the one who asked is told last", "the one who was asked is told last"])
async def test_both_see_each_other_whoever_is_told_first(both: Any, late: int) -> None:
    place, _ = both
    engine = place.node.engine
    assert isinstance(engine, EjabberdEngine)
    ada = await place.register("ada")
    others = [await place.register(f"bob-{number}") for number in range(8)]
    bob = next(each for each in others if hash(each.jid) % LANES != hash(ada.jid) % LANES)
    clients = [await bare_client(place, each) for each in (ada, bob)]
    for client in clients:
        await client.ask("<query xmlns='jabber:iq:roster'/>")
    await engine._control.say(bob.jid, presence_xml(Kind.SUBSCRIBE, ada.jid, bob.jid))
    await clients[1].gets("presence", type="subscribe")
    may_go_on = asyncio.Event()

    async def wait() -> None:
        await may_go_on.wait()

    engine._chores.add((ada, bob)[late].jid, "wait", wait)
    await place.call("PUT", f"/contacts/{bob.username}", ada)
    await clients[1 - late].gets("iq", type="set")
    may_go_on.set()
    await engine._chores.finished()
    for client, other in zip(clients, (bob, ada), strict=True):
        (item,) = (await client.ask("<query xmlns='jabber:iq:roster'/>")).element[0]
        assert (item.get("jid"), item.get("subscription")) == (other.jid, "both")
    again = await bare_client(place, bob, is_present=False)
    await again.send("<presence/>")
    assert not any(each.get("type") == "subscribe" for each in await again.so_far())
