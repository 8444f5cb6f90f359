"""ejabberd is killed under load and comes back, or its node does: nothing that was to reach it is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ejabberd_clients import bare_client, ends, is_refused, until
from ejabberd_places import reached
from heliograph.core.sessions import EndReason
from heliograph.engines.ejabberd.engine import EjabberdEngine
from patience import PATIENCE_S

pytestmark = pytest.mark.cluster


async def test_what_happens_while_ejabberd_is_dead_holds_when_it_is_back(both: Any) -> None:
    place, server = both
    engine = place.node.engine
    people = [await place.register(f"user-{number}") for number in range(12)]
    ended, blocked, deleted, *others = people
    hub = others[0]
    ready = await place.http.get("/readyz")
    assert ready.status_code == 200

    async def work() -> None:
        """Contacts and profiles, while ejabberd is killed in the midst of it."""
        for number, other in enumerate(others[1:]):
            await place.call("PUT", f"/contacts/{other.username}", hub)
            await place.call("PATCH", "/profile", hub, {"nickName": f"Hub {number}"})

    for each in people[:4]:
        await bare_client(place, each)
    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    await server.kill()
    await working
    await place.call("DELETE", "/sessions/current", ended)
    await place.call("POST", f"/users/{blocked.username}/block")
    await place.call("DELETE", f"/users/{deleted.username}?immediately=true")
    await until(lambda: not engine.is_reachable)
    assert (await place.http.get("/readyz")).status_code == 503
    await server.start()
    await reached(engine)
    for each in (ended, blocked, deleted):
        assert await is_refused(place, each)
    client = await bare_client(place, hub)
    items = await _roster_of(client, len(others) - 1)
    assert items == {each.jid for each in others[1:]}
    last = await bare_client(place, others[-1])
    assert await _roster_of(last, 1) == {hub.jid}
    card = await last.ask("<vCard xmlns='vcard-temp'/>", to=hub.jid)
    assert f"Hub {len(others) - 2}" in card.xml


async def _roster_of(client: Any, size: int) -> set[str]:
    """The contacts of a client's roster, once there are so many: chores follow when ejabberd is back."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            got = await client.ask("<query xmlns='jabber:iq:roster'/>")
            found = {item.get("jid") for item in got.element[0]}
            if len(found) >= size:
                return found
            await asyncio.sleep(0.1)


async def test_a_session_that_ended_while_the_node_was_away_is_ended_when_it_is_back(both: Any) -> None:
    place, _ = both
    engine = place.node.engine
    assert isinstance(engine, EjabberdEngine)
    phone = await place.register("ada")
    tablet = await place.register("ada")
    client = await bare_client(place, phone)
    await until(lambda: any(each.session_id for each in engine.router.full.values()))
    # The word to end it is lost, as it is with a process that dies behind the commit.
    account = await place.node.ports.accounts.lookup(phone.jid)
    ports = place.node.ports
    await ports.sessions.end(account.id, [phone.session_id], EndReason.ENDED_BY_USER, ports.clock.now())
    engine._lost()
    assert "sign_in_again" in await ends(client)
    assert await is_refused(place, phone)
    assert not await is_refused(place, tablet)
