"""A process that signs a browser in by QR code and dies with SIGKILL before the browser has its credential, and the one
that comes after it.

python unclaimed_child.py DATABASE made|sealed|sweep

`made` dies once the session is stored, and `sealed` once the credential waits for the browser's socket to come back;
both print the id of the session before. `sweep` lets the time for the delivery pass, does a node's upkeep, and prints
as JSON which of the user's sessions are live then, and how the audit trail ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from dying_children import Story  # it brings the folder of conftest along

from conftest import CountedIds, RecordingEngine, TurnedClock, wire
from heliograph import upkeep
from heliograph.core import limits
from heliograph.core.ports import Ports
from heliograph.settings import Settings
from heliograph.storage import postgres, sqlite


async def die(ports: Ports, *, is_sealed: bool) -> None:
    story = Story(ports)
    for _, step in story.app_and_users():
        await step()
    for name, step in story.qr():
        if name == "deliver":
            break
        await step()
    assert story.link is not None
    if is_sealed:
        await story.deliver()
    print(story.linked.session.id, flush=True)  # noqa: T201 - the test reads it
    os.kill(os.getpid(), signal.SIGKILL)


async def sweep(ports: Ports, clock: TurnedClock) -> None:
    clock.turn(30 + limits.QR_DELIVERY_TTL_S)  # the story took half a minute
    await upkeep.sweep(ports, Settings())
    account = await ports.accounts.lookup("bob@chat.example")
    assert account is not None
    live = [session.id for session in await ports.sessions.live(account.id)]
    trail = [entry.event for entry in await ports.audit.chain(account.app_id, 0, 1000)]
    last = [(event.kind, event.session_id, event.facts.get("reason")) for event in trail[-2:]]
    print(json.dumps({"live": live, "last": last}))  # noqa: T201 - the test reads it


async def main(database: str, what: str) -> None:
    clock = TurnedClock()
    opened = postgres.open(database) if database.startswith("postgresql:") else sqlite.open(Path(database))
    async with opened as stores:
        ports = wire(stores, Path(), CountedIds(), clock, RecordingEngine(), None)  # type: ignore[arg-type]
        await (sweep(ports, clock) if what == "sweep" else die(ports, is_sealed=what == "sealed"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
