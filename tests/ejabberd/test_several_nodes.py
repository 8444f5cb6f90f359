"""Two nodes over one database and one ejabberd: one answers for the profiles, and another when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import needs
from balanced import free_port
from ejabberd_clients import answer_what_is_asked, bare_client, ends, event_of, until, watching_client
from ejabberd_places import running_on_ejabberd
from heliograph.core import profiles
from heliograph.core.profiles import ProfileChange
from heliograph.core.sessions import EndReason
from heliograph.engines.ejabberd.engine import EjabberdEngine
from heliograph.engines.ejabberd.link import ComponentLink
from heliograph.engines.embedded.handlers import capabilities
from heliograph.node import run_node
from heliograph.settings import Settings
from heliograph.xmpp.stanza import Stanza
from patience import PATIENCE_S
from places import SANDBOX, Place
from profile_events import VCARD4, presence_of

pytestmark = pytest.mark.cluster


NAMES = ("one.heliograph.localhost", "two.heliograph.localhost")


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[tuple[Place, EjabberdEngine, EjabberdEngine]]:
    """The first node with its engine, which leads, and the engine of the second."""
    needs.ejabberd()
    async with running_on_ejabberd(tmp_path, components=NAMES, ejabberd_component_name=NAMES[0]) as (place, server):
        second = Settings(**{**server.settings, "ejabberd_component_name": NAMES[1]})
        async with run_node(second) as other:
            first, engine = place.node.engine, other.engine
            assert isinstance(first, EjabberdEngine)
            assert isinstance(engine, EjabberdEngine)
            await until(lambda: engine.is_reachable)
            assert not engine.mirror.grants.leads(None, SANDBOX)
            yield place, first, engine


async def test_when_the_node_that_answers_is_gone_another_takes_over_and_stays_ready(nodes: Any) -> None:
    place, first, engine = nodes
    account = await place.register("ada")
    client = await bare_client(place, account)
    await until(lambda: any(each.session_id for each in engine.router.full.values()))
    await first.stop(1)

    def has_taken_over() -> bool:
        assert engine.is_reachable
        return bool(engine.mirror.grants.leads(None, SANDBOX))

    await until(has_taken_over)
    async with asyncio.timeout(PATIENCE_S):  # ejabberd passes on one namespace after the other
        while (await client.ask("<vCard xmlns='vcard-temp'/>")).get("type") != "result":
            pass
    (session_id,) = {each.session_id for each in engine.router.full.values()}
    engine.disconnect_session(account.jid, session_id, EndReason.ENDED_BY_ADMIN)
    assert "urn:heliograph:session:1#ended_by_admin" in await ends(client)


async def test_what_ejabberd_says_to_one_node_reaches_no_other(nodes: Any) -> None:
    place, first, engine = nodes
    heard = {each: _addressees(each) for each in (first, engine)}
    account = await place.register("ada")
    for _ in range(4):  # where there are several routes, ejabberd chooses anew each time
        client = await bare_client(place, account)
        await until(lambda jid=client.jid: all(jid in each.router.full for each in heard))
    assert heard == {first: {NAMES[0]}, engine: {NAMES[1]}}


def _addressees(engine: EjabberdEngine) -> set[str]:
    """To whom the stanzas are that come from ejabberd from now on."""
    found: set[str] = set()
    for link in engine.links:
        received = link._received

        def hear(link: ComponentLink, stanza: Stanza, received: Any = received) -> None:
            found.add(stanza.get("to") or "")
            received(link, stanza)

        link._received = hear
    return found


async def test_a_node_tells_what_it_has_just_published_to_a_client_that_it_had_not_heard_of(nodes: Any) -> None:
    place, _, engine = nodes
    client = await watching_client(place, await place.register("ada"), VCARD4)
    await answer_what_is_asked(client, VCARD4)  # the other of the two nodes
    await until(lambda: bool(engine.router.full) and bool(engine.router.full[client.jid].interests))
    resource = engine.router.full[client.jid]
    capabilities.forgotten(resource)  # as if the client's presence were still on its way to this node
    await profiles.set_profile(engine.ports, resource.account, ProfileChange(name="Ada"))
    await client.send(presence_of(VCARD4)[0].replace("urn:news", f"urn:client:{client.jid}"))
    await event_of(client, VCARD4, "Ada")


async def test_what_a_node_publishes_while_it_has_no_link_is_told_when_it_has_one_again(nodes: Any) -> None:
    place, _, engine = nodes
    account = await place.register("ada")
    client = await watching_client(place, account, VCARD4)
    await answer_what_is_asked(client, VCARD4)  # the other of the two nodes
    await until(lambda: bool(engine.router.full) and bool(engine.router.full[client.jid].interests))
    (link,) = engine.links
    address = link._address
    link._address = replace(address, port=free_port())
    link.reconnect()
    await until(lambda: not engine.mirror.grants.is_privileged)
    late = await watching_client(place, account, VCARD4)  # whom this node cannot know
    await profiles.set_profile(engine.ports, account.jid, ProfileChange(name="Ada"))
    await until(lambda: engine._has_missed)
    lately = engine.fan_out._lately
    lately.extend([(at - 60, mark) for at, mark in (lately.popleft(),)])  # it was a minute ago
    link._address = address
    await event_of(client, VCARD4, "Ada")
    await answer_what_is_asked(late, VCARD4)
    await event_of(late, VCARD4, "Ada")
