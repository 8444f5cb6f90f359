"""A thousand contacts come and go while profiles change: each ends at the newest version and hears nothing twice."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from profile_events import PRESENCE, appear, since

log = logging.getLogger(__name__)

CONTACTS = 1000
PUBLISHERS = 5
SETS = 10
CUTS = 600
PATIENCE_S = 600
EVENT = re.compile(
    r"<message type='headline' from='([^']+)'[^>]*>(?:(?!</message>).)*?"
    r"<profile xmlns='urn:heliograph:profile:1' version='(\d+)' mark='(\d+)'[^>]*/>(?:(?!</message>).)*?</message>"
)


@dataclass(eq=False)
class Watcher:
    """One contact on one device: it comes back as soon as it is cut off, and names the mark that it has."""

    account: Any
    newest: dict[str, int]
    is_done: asyncio.Event = field(default_factory=asyncio.Event)
    seen: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    mark: int = 0
    comings: int = 0
    wire: Any = None

    async def stay(self, place: Any) -> None:
        while True:
            with suppress(ConnectionError, AssertionError):
                client = await place.sign_in(self.account)
                self.wire = client.wire
                self.comings += 1
                if self.mark:
                    await client.send(f"<iq type='set' id='s'>{since(self.mark)}</iq>")
                await client.send(PRESENCE)
                await self.listen()

    async def listen(self) -> None:
        heard = self.wire.heard
        while data := await self.wire.reader.read(65536):
            heard += data.decode()
            end = 0
            for event in EVENT.finditer(heard):
                self.take(event[1], int(event[2]), int(event[3]))
                end = event.end()
            heard = heard[end:]

    def take(self, sender: str, version: int, mark: int) -> None:
        if version <= self.seen.get(sender, 0) or mark <= self.mark:
            self.wrong.append(f"{sender} at {version} (mark {mark}) after {self.seen.get(sender)} (mark {self.mark})")
        self.seen[sender], self.mark = version, mark
        if self.seen == self.newest or self.wrong:
            self.is_done.set()


async def in_turn(jobs: list[Any]) -> list[Any]:
    turns = asyncio.Semaphore(32)

    async def one(job: Any) -> Any:
        async with turns:
            return await job

    return await asyncio.gather(*map(one, jobs))


async def change(place: Any, publisher: Any, chance: random.Random) -> None:
    """Change a profile again and again."""
    for number in range(SETS):
        await asyncio.sleep(chance.uniform(0, 0.4))
        await place.call("PATCH", "/profile", publisher, {"nickName": f"Name {number}"})


async def cut(watchers: list[Watcher], chance: random.Random) -> None:
    """Break connections without a word."""
    for _ in range(CUTS):
        watcher = chance.choice(watchers)
        if watcher.wire is not None:
            watcher.wire.reset()
        await asyncio.sleep(0.003)


async def test_a_thousand_contacts_end_at_the_newest_version_and_hear_nothing_twice(start: Any) -> None:
    place = await start()
    chance = random.Random(20261124)
    began = time.monotonic()
    accounts = await in_turn([place.register(f"watcher-{number}") for number in range(CONTACTS)])
    publishers = await in_turn([place.register(f"publisher-{number}") for number in range(PUBLISHERS)])
    body = {"identifiers": [account.username for account in accounts]}
    for publisher in publishers:
        done = await place.call("POST", "/contact-imports", publisher, body)
        assert {each["state"] for each in done["results"]} == {"friend"}
    log.info("%d contacts of %d users made in %.1f s", CONTACTS, PUBLISHERS, time.monotonic() - began)
    teacher = await place.sign_in(publishers[0])
    await appear(teacher)  # from now on the server knows what these clients want
    newest = {publisher.jid: SETS for publisher in publishers}
    watchers = [Watcher(account, newest) for account in accounts]
    began = time.monotonic()
    staying = [asyncio.create_task(watcher.stay(place)) for watcher in watchers]
    try:
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            for publisher in publishers:
                group.create_task(change(place, publisher, chance))
            group.create_task(cut(watchers, chance))
        async with asyncio.timeout(PATIENCE_S):
            for watcher in watchers:
                await watcher.is_done.wait()
    finally:
        for task in staying:
            task.cancel()
        await asyncio.gather(*staying, return_exceptions=True)
    log.info("%d comings, over in %.1f s", sum(watcher.comings for watcher in watchers), time.monotonic() - began)
    assert [wrong for watcher in watchers for wrong in watcher.wrong] == []
    assert sum(watcher.comings for watcher in watchers) > CONTACTS
