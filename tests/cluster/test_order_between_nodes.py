"""Two nodes over one PostgreSQL, one Redis and one ejabberd change the same profiles: every screen ends at what the
record says, and a client that was cut off in between misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import needs
from ejabberd_clients import bare_client, until
from ejabberd_places import running_on_ejabberd
from heliograph.core import blocking, profiles
from heliograph.core.ports import Ports
from heliograph.core.profiles import Profile, ProfileChange
from heliograph.engines.ejabberd.engine import EjabberdEngine
from heliograph.node import run_node
from heliograph.settings import Settings
from places import Place
from profile_events import NS_PROFILE, presence_of, since
from wires import Account, Client

pytestmark = pytest.mark.cluster

NAMES = ("one.heliograph.localhost", "two.heliograph.localhost")
VCARD4 = "urn:xmpp:vcard4"
ROUNDS = 25


@dataclass
class Screen:
    """A client that answers what it is asked, and what it was told of profiles: who, version, mark."""

    client: Client
    told: list[tuple[str, int, int]] = field(default_factory=list)

    async def stay(self) -> None:
        """Until it is cancelled."""
        presence, info = (text.replace("urn:news", f"urn:client:{self.client.jid}") for text in presence_of(VCARD4))
        await self.client.send(presence)
        while True:
            got = await self.client.next()
            if got.name == "iq" and got.get("type") == "get":
                await self.client.send(f"<iq type='result' id='{got.get('id')}' to='{got.get('from')}'>{info}</iq>")
            facts = got.element.find(f".//{{{NS_PROFILE}}}profile")
            if facts is not None:
                self.told.append((str(got.get("from")), int(facts.get("version", "0")), int(facts.get("mark", "0"))))

    def version(self, jid: str) -> int:
        """What it shows of somebody; a plain client shows what came last."""
        return next((version for sender, version, _ in reversed(self.told) if sender == jid), 0)

    @property
    def mark(self) -> int:
        """The highest that it was told."""
        return max((mark for _, _, mark in self.told), default=0)


@dataclass
class Two:
    """Two nodes, and clients of the one ejabberd."""

    place: Place
    engines: tuple[EjabberdEngine, EjabberdEngine]
    screens: AsyncExitStack

    @property
    def ports(self) -> tuple[Ports, Ports]:
        return self.engines[0].ports, self.engines[1].ports

    async def friends(self, *names: str) -> list[Account]:
        """Users who are all contacts of the first one."""
        accounts = [await self.place.register(name) for name in names]
        for other in accounts[1:]:
            await self.place.call("PUT", f"/contacts/{other.username}", accounts[0])
        return accounts

    async def screen(self, account: Account, mark: int = 0) -> Screen:
        """A client that both nodes know to be interested in profiles."""
        client = await bare_client(self.place, account, is_present=False)
        if mark:
            assert (await client.ask(since(mark), kind="set")).get("type") == "result"
        screen = Screen(client)
        staying = asyncio.create_task(screen.stay())
        self.screens.callback(staying.cancel)
        await until(lambda: all(_is_interested(engine, client.jid) for engine in self.engines))
        return screen


def _is_interested(engine: EjabberdEngine, jid: str) -> bool:
    resource = engine.router.full.get(jid)
    return resource is not None and VCARD4 in resource.interests


@pytest.fixture
async def two(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Two]:
    needs.ejabberd()
    shared = {"database_url": database_url, "redis_url": redis_url, "log_level": "warning"}
    async with (
        running_on_ejabberd(tmp_path, components=NAMES, ejabberd_component_name=NAMES[0], **shared) as (place, server),
        run_node(Settings(**{**server.settings, "ejabberd_component_name": NAMES[1]})) as other,
        AsyncExitStack() as screens,
    ):
        first, second = place.node.engine, other.engine
        assert isinstance(first, EjabberdEngine)
        assert isinstance(second, EjabberdEngine)
        await until(lambda: second.is_reachable)
        yield Two(place, (first, second), screens)


def _named(name: str) -> Callable[[Profile], Profile]:
    return lambda found: profiles.apply(found, ProfileChange(name=name), 1_800_000_000.0)


async def test_a_change_that_is_told_late_does_not_undo_a_later_one_of_another_node(two: Two) -> None:
    ada, bob, carol = await two.friends("ada", "bob", "carol")
    screen = await two.screen(bob)
    older = await two.ports[0].profiles.update(ada.jid, _named("First"))
    await profiles.set_profile(two.ports[1], ada.jid, ProfileChange(name="Second"))
    await until(lambda: screen.version(ada.jid) == 2)
    two.engines[0].prepare_profile(older)()
    await two.place.call("PUT", f"/contacts/{carol.username}", bob)
    await profiles.set_profile(two.ports[0], carol.jid, ProfileChange(name="Carol"))
    await until(lambda: screen.version(carol.jid) == 1)  # it comes behind all that this node has told before
    assert screen.version(ada.jid) == 2


async def test_what_was_overtaken_on_its_way_is_followed_by_the_newest(two: Two) -> None:
    """A node has told what the record said, and what another has told since comes through before it."""
    ada, bob = await two.friends("ada", "bob")
    screen = await two.screen(bob)
    older = await profiles.set_profile(two.ports[0], ada.jid, ProfileChange(name="First"))
    await until(lambda: screen.version(ada.jid) == 1)
    await profiles.set_profile(two.ports[1], ada.jid, ProfileChange(name="Second"))
    await until(lambda: screen.version(ada.jid) == 2)
    fan_out = two.engines[0].fan_out
    fan_out._spread(fan_out.prepare(older), [bob.jid], frozenset())
    await until(lambda: screen.told[-1][1] == 1)
    await until(lambda: screen.told[-1][1] == 2)


async def test_two_nodes_that_change_the_same_profiles_at_once_end_alike_on_every_screen(two: Two) -> None:
    ada, *others = await two.friends("ada", "bob", "carol", "dave")
    everybody = (ada, *others)
    screen = await two.screen(ada)

    async def change(ports: Ports, account: Account, number: int) -> None:
        await profiles.set_profile(ports, account.jid, ProfileChange(name=f"Name {number}"))

    for number in range(0, 2 * ROUNDS, 2):
        changes = ((ports, each, number + at) for each in everybody for at, ports in enumerate(two.ports))
        await asyncio.gather(*(change(*each) for each in changes))
    newest = {each.jid: await two.ports[0].profiles.lookup(each.jid) for each in everybody}
    versions = {jid: found.version for jid, found in newest.items() if found is not None}
    assert set(versions.values()) == {2 * ROUNDS}
    await until(lambda: {jid: screen.version(jid) for jid in versions} == versions)
    await asyncio.sleep(0.5)  # nothing older comes behind it
    assert {jid: screen.version(jid) for jid in versions} == versions


async def test_a_client_that_is_cut_off_between_the_changes_of_two_nodes_misses_none(two: Two) -> None:
    carol, ada, bob = await two.friends("carol", "ada", "bob")
    screen = await two.screen(carol)
    older = await two.ports[0].profiles.update(ada.jid, _named("Ada"))
    newer = await profiles.set_profile(two.ports[1], bob.jid, ProfileChange(name="Bob"))
    assert newer.mark > older.mark
    await until(lambda: screen.version(bob.jid) == 1)
    screen.client.wire.close()
    await until(lambda: all(screen.client.jid not in engine.router.full for engine in two.engines))
    two.engines[0].prepare_profile(older)()
    again = await two.screen(carol, screen.mark)
    await until(lambda: again.version(ada.jid) == 1)


async def test_a_contact_that_one_node_made_hears_of_what_another_changes(two: Two) -> None:
    ada, bob = [await two.place.register(name) for name in ("ada", "bob")]
    screens = [await two.screen(each) for each in (ada, bob)]
    await two.place.call("PUT", f"/contacts/{bob.username}", ada)
    await profiles.set_profile(two.ports[1], ada.jid, ProfileChange(name="Ada"))
    await until(lambda: [screen.version(ada.jid) for screen in screens] == [1, 1])


async def test_what_one_node_blocks_another_does_not_tell(two: Two) -> None:
    ada, bob, carol = await two.friends("ada", "bob", "carol")
    screens = [await two.screen(each) for each in (bob, carol)]
    for blocker, blocked in ((ada, bob), (carol, ada)):
        await blocking.block(two.ports[0], blocker.jid, (blocked.jid,))
        while (await two.ports[0].remote_server.told(blocker.jid)).blocked != {blocked.jid}:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)  # a node that unblocks goes by what ejabberd was told
    await profiles.set_profile(two.ports[1], ada.jid, ProfileChange(name="Ada"))
    await blocking.unblock(two.ports[1], carol.jid, (ada.jid,))
    await until(lambda: screens[1].version(ada.jid) == 1)
    assert screens[0].told == []
    await blocking.unblock(two.ports[1], ada.jid, (bob.jid,))
    await until(lambda: screens[0].version(ada.jid) == 1)
    for ports, version in zip(two.ports, (2, 3), strict=True):
        await profiles.set_profile(ports, ada.jid, ProfileChange(name=f"Ada {version}"))
        await until(lambda: [screen.version(ada.jid) for screen in screens] == [version, version])  # noqa: B023 - now


async def test_a_block_holds_after_its_owner_has_connected_anew(two: Two) -> None:
    ada, bob = await two.friends("ada", "bob")
    told = await two.screen(bob)
    before = await two.screen(ada)
    await blocking.block(two.ports[0], ada.jid, (bob.jid,))
    before.client.wire.close()
    await until(lambda: all(before.client.jid not in engine.router.full for engine in two.engines))
    own = await two.screen(ada)
    for ports, version in zip(two.ports, (1, 2), strict=True):
        await profiles.set_profile(ports, ada.jid, ProfileChange(name=f"Ada {version}"))
        await until(lambda: own.version(ada.jid) == version)  # noqa: B023 - now
    asked: Any = await told.client.send("<presence/>")
    assert asked is None
    assert told.told == []
