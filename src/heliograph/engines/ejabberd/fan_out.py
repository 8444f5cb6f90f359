"""Bringing profiles to ejabberd's clients from several nodes, none of which sees what the others send.

**Whom.** Any node may change contacts and block lists, so both are read for each profile that is published.

**The newest.** What two nodes send may come in either order. So a node tells what the record says when it is told, not
what was written, and looks at the record once more when what it has sent has long arrived. Is that newer by then, it is
told again. Of two changes the later is thus the last on each screen: either its node sends it behind the other, or the
other's node finds it when it looks.

**Nothing is missed.** A client that names mark 5 is not told of mark 4, which another node may just be sending. So
until a mark has settled, events carry the highest one that has, and a client that was cut off in between hears a little
twice rather than something never.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from heliograph.core import blocking
from heliograph.core.profiles import Profile
from heliograph.core.user_jids import domain_of
from heliograph.engines.ejabberd.link import ComponentLink
from heliograph.engines.embedded.fan_out import FanOut, ProfileEvents
from heliograph.engines.embedded.router import Resource
from heliograph.errors import StorageUnavailable
from heliograph.xmpp.presence import is_watcher

if TYPE_CHECKING:
    from heliograph.engines.ejabberd.engine import EjabberdEngine

log = structlog.get_logger("heliograph.ejabberd")

SETTLED_S = 10.0
"""After that time a change has been told by the node that has made it."""
LOOK_AGAIN_S = 3.0
"""After that time what was sent to ejabberd has gone on to the clients' streams."""
_STEP_S = 1.0


class SharedFanOut(FanOut):
    """Of several nodes, each tells what it has changed, and one brings to a client that comes what it has missed: the
    one that answers for its domain at the ejabberd node that the client is connected to. The others keep in mind whom
    they have left to it, until they hear that it is there, or take its place. What they have themselves published in
    the last seconds they tell too, as the other may have looked before it was written; so they do with what they have
    published while they had no link.
    """

    def __init__(self, engine: EjabberdEngine) -> None:
        super().__init__(engine)
        self._mirror = engine.mirror
        self._left: dict[str, frozenset[str]] = {}  # by full JID, the nodes of personal eventing
        self._lately: deque[tuple[float, int]] = deque()  # when on the loop's clock, and up to which mark
        self._spread_at: dict[str, int] = {}  # by whose profile, the mark that it was told with
        self._to_look_at: deque[tuple[float, str, int]] = deque()  # since when, whose profile, told with which mark
        self._settled: dict[str, int] = {}  # by domain
        self._settling: deque[tuple[float, dict[str, int]]] = deque()

    # ------------------------------------------------------------------------------------------------ what has changed

    def publish(self, events: ProfileEvents) -> None:
        """See `FanOut`."""
        now = asyncio.get_running_loop().time()
        self.lately()
        if not self._lately or self._lately[-1][0] < now - _STEP_S:
            self._lately.append((now, events.profile.mark))
        super().publish(events)

    def lately(self) -> int | None:
        """The mark of the first profile among those that this node has published in the last seconds."""
        earliest = asyncio.get_running_loop().time() - SETTLED_S
        while self._lately and self._lately[0][0] < earliest:
            self._lately.popleft()
        return self._lately[0][1] if self._lately else None

    def published_now(self, mark: int) -> None:
        """As if what this node has published from that mark on had been published just now."""
        self._lately = deque(((asyncio.get_running_loop().time(), mark),))

    async def _read_and_spread(self, events: ProfileEvents) -> None:
        jid = events.profile.jid
        newest, roster, apart = await asyncio.gather(
            self._engine.ports.profiles.lookup(jid),
            self._engine.ports.contacts.roster(jid),
            blocking.apart_from(self._engine.ports, jid),
        )
        if newest is None or newest.mark <= self._spread_at.get(jid, -1):
            return
        watchers = [each.jid for each in roster if is_watcher(each.subscription) and each.jid not in apart.blockers]
        self._spread(self._events_of(newest), watchers, apart.blocked)
        self._spread_at[jid] = newest.mark
        self._look_again_at(jid, newest.mark)

    async def show(self, jid: str, receivers: Sequence[Resource], mark: int) -> None:
        """See `FanOut`; nothing to whom blocking keeps apart."""
        if receivers and not await blocking.are_apart(self._engine.ports, jid, receivers[0].account):
            await super().show(jid, receivers, mark)
            self._look_again_at(jid, mark)

    # ----------------------------------------------------------------------------------------- the order between nodes

    def settled(self, domain: str) -> int:
        """The mark of a domain up to which all was told, by whichever node; -1 where that is not known yet."""
        return self._settled.get(domain, -1)

    def _as_told(self, profile: Profile) -> Profile:
        return replace(profile, mark=min(profile.mark, max(self.settled(domain_of(profile.jid)), 0)))

    def _look_again_at(self, jid: str, mark: int) -> None:
        self._to_look_at.append((asyncio.get_running_loop().time(), jid, mark))

    async def keep_in_order(self) -> None:
        """Look again at what was told, and follow the marks, until it is cancelled."""
        while True:
            try:
                await self._follow_marks()
                await self._look_again()
            except StorageUnavailable as error:
                log.warning("order_not_kept", problem=error.code)
            except Exception:  # what failed is tried again, it does not end the engine
                log.exception("order_not_kept")
            await asyncio.sleep(_STEP_S)

    async def _follow_marks(self) -> None:
        now = asyncio.get_running_loop().time()
        self._settling.append((now, await self._engine.ports.remote_server.marks()))
        while self._settling[0][0] <= now - SETTLED_S:
            self._settled = self._settling.popleft()[1]

    async def _look_again(self) -> None:
        until = asyncio.get_running_loop().time() - LOOK_AGAIN_S
        while self._to_look_at and self._to_look_at[0][0] <= until:
            _, jid, mark = self._to_look_at[0]
            newest = await self._engine.ports.profiles.lookup(jid)
            self._to_look_at.popleft()
            if newest is None or self._spread_at.get(jid, -1) <= mark:
                self._spread_at.pop(jid, None)
            if newest is not None and newest.mark > mark:
                self._engine.prepare_profile(newest)()

    # ------------------------------------------------------------------------------------------------- who was away

    async def catch_up(self, receiver: Resource, nodes: frozenset[str]) -> None:
        """See `FanOut`."""
        if self._mirror.grants.leads(self._mirror.link_of(receiver.jid), receiver.host):
            await super().catch_up(receiver, nodes)
        else:
            self._left[receiver.jid] = nodes | self._left.get(receiver.jid, frozenset())
            await self._tell_lately(receiver, nodes)

    async def _tell_lately(self, receiver: Resource, nodes: frozenset[str]) -> None:
        """What was published by this node in the last seconds, with what others have published since then."""
        mark = self.lately()
        if mark is None:
            return
        apart = await blocking.apart_from(self._engine.ports, receiver.jid)
        for profile, viewer in await self._news(receiver.account, max(receiver.since, mark - 1), apart):
            self._send(receiver, self._as_told(profile), viewer, nodes)
            await self._avatar((receiver,), profile, viewer)

    def is_led(self, link: ComponentLink, domain: str) -> None:
        """Another node is there, and does it."""
        self._take(link, domain)

    def leads(self, link: ComponentLink, domain: str) -> None:
        """This node does it from now on."""
        for receiver, nodes in self._take(link, domain):
            self.line_up(partial(self.catch_up, receiver, nodes))

    def _take(self, link: ComponentLink, domain: str) -> list[tuple[Resource, frozenset[str]]]:
        """Those whom this node has left to the one that leads there, if they are still connected."""
        connected = self._engine.router.full
        gone = self._left.keys() - connected.keys()
        there = [
            jid
            for jid in self._left.keys() - gone
            if connected[jid].host == domain and self._mirror.link_of(jid) in (link, None)
        ]
        found = [(connected[jid], self._left[jid]) for jid in there]
        for jid in (*gone, *there):
            del self._left[jid]
        return found
