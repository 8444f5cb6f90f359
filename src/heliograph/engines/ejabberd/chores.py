"""What ejabberd has still to be told: a bounded line of chores, each done until it has succeeded.

A chore reads from the stores what holds when it is done. So it can be done twice, and one that waits already is not
needed a second time. Chores about one user are done one after the other.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from heliograph.engines.ejabberd.api import ApiRefused, ApiUnavailable

log = structlog.get_logger("heliograph.ejabberd")

LANES = 4
"""How many chores are done at the same time."""
LANE_MAX = 10_000
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 5.0
ATTEMPTS_MAX = 5
"""How often a chore is tried that ejabberd refuses; one that it does not answer is tried for ever."""

Work = Callable[[], Awaitable[None]]


@dataclass
class _Lane:
    """Chores in order, by name."""

    waiting: OrderedDict[str, Work] = field(default_factory=OrderedDict)
    has_some: asyncio.Event = field(default_factory=asyncio.Event)


class Chores:
    """The line.

    Args:
        overflowed: is called when a chore finds no room or cannot be done: who calls it looks at everything again.
    """

    def __init__(self, overflowed: Callable[[], None]) -> None:
        self.is_answered = True
        self._overflowed = overflowed
        self._lanes = [_Lane() for _ in range(LANES)]
        self._open = 0
        self._done = asyncio.Event()

    def add(self, jid: str, name: str, work: Work) -> None:
        """Put a chore about a user in line; never waits."""
        lane = self._lanes[hash(jid) % LANES]
        key = f"{name} {jid}"
        if key not in lane.waiting and len(lane.waiting) >= LANE_MAX:
            log.warning("ejabberd_chores_overflow")
            self._overflowed()
            return
        self._open += key not in lane.waiting
        lane.waiting[key] = work
        lane.has_some.set()

    async def run(self) -> None:
        """Do chores, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(self._serve(lane))

    async def finished(self) -> None:
        """Wait until nothing is in line."""
        while self._open:
            self._done.clear()
            await self._done.wait()

    async def _serve(self, lane: _Lane) -> None:
        while True:
            await lane.has_some.wait()
            key, work = lane.waiting.popitem(last=False)
            if not lane.waiting:
                lane.has_some.clear()
            await self._do(key, work)
            self._open -= 1
            self._done.set()

    async def _do(self, key: str, work: Work) -> None:
        patience_s, refusals = RETRY_FIRST_S, 0
        while True:
            try:
                await work()
            except ApiUnavailable as error:
                self.is_answered = False
                log.warning("ejabberd_does_not_answer", error=str(error))
            except ApiRefused as error:
                refusals += 1
                if refusals == ATTEMPTS_MAX:
                    log.warning("ejabberd_refuses", error=str(error))
                    return
            except Exception:  # a bug, or a database that is away, must not end the line
                log.exception("chore_failed", chore=key.partition(" ")[0])
                self._overflowed()
                return
            else:
                self.is_answered = True
                return
            await asyncio.sleep(patience_s)
            patience_s = min(patience_s * 2, RETRY_MAX_S)
