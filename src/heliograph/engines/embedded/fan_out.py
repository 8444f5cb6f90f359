"""Bringing a profile to every screen: encoded once for each kind of viewer, spliced for each receiver.

An event goes to the available resources whose client asked for the node (XEP-0163, section 4.2): to the user's own as
the user sees the profile, to the contacts' as contacts see it.

Each client hears of each change once, and in the order of the marks (see `core.profiles.Profile`). What cannot be told
at once, as something has to be read before, waits in one line, and what comes after it waits behind it.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from heliograph.core import blocking, profiles
from heliograph.core.blocking import Apart
from heliograph.core.profiles import Profile, Viewer
from heliograph.engines.embedded.handlers import pep_nodes
from heliograph.engines.embedded.handlers.pep import payloads
from heliograph.engines.embedded.router import Resource, send_each
from heliograph.errors import StorageUnavailable
from heliograph.xmpp.pep import CURRENT_ITEM, NODE_AVATAR_METADATA, NODE_NICK, NODE_VCARD4, notification
from heliograph.xmpp.presence import is_watcher
from heliograph.xmpp.stanza import Template
from heliograph.xmpp.vcard import Card

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_NODES = (NODE_VCARD4, NODE_NICK)
"""The nodes that a profile's events are of; see `payloads`."""
CATCHING_UP = sys.maxsize
"""Above every mark: what is published now is among what the resource is about to be told."""
_RETRY_S = 1.0


class FanOut:
    """Publishes profiles to connected resources."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self._line: deque[Callable[[], Awaitable[None]]] = deque()  # as long as the writes that have just been made

    def publish(self, profile: Profile) -> None:
        """A profile changed: at once if the user is connected, else as soon as the contacts are read."""
        account = self._engine.router.accounts.get(profile.jid) if self._engine.hears_all else None
        if not self._line and account is not None and account.has_contacts:
            self._spread(profile, account.watchers, account.blocks)
        else:
            self.line_up(partial(self._read_and_spread, profile))

    def line_up(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something that tells of profiles, behind all that waits to be told."""
        self._line.append(work)
        if len(self._line) == 1:
            self._engine.spawn(self._work_off())

    async def _work_off(self) -> None:
        """Do all that waits in the line; where something fails, what is behind it still has its turn. While the
        database is away the line waits, or what was changed just before would not be told.
        """
        try:
            while self._line:
                try:
                    await self._line[0]()
                except StorageUnavailable:
                    await asyncio.sleep(_RETRY_S)
                else:
                    self._line.popleft()
        except Exception:
            self._line.popleft()
            if self._line:
                self._engine.spawn(self._work_off())
            raise

    async def _read_and_spread(self, profile: Profile) -> None:
        roster = await self._engine.ports.contacts.roster(profile.jid)
        blocks = await self._engine.ports.blocks.blocked(profile.jid)
        self._spread(profile, [item.jid for item in roster if is_watcher(item.subscription)], blocks)

    def _spread(self, profile: Profile, watchers: Iterable[str], blocks: frozenset[str]) -> None:
        mark = profile.mark
        views = _Views(self._as_told(profile))
        for accounts, viewer in (((profile.jid,), Viewer.SELF), (watchers, Viewer.CONTACT)):
            by_interests: dict[frozenset[str], list[tuple[bytes, bytes]]] = {}  # clients of one make share theirs
            for receiver in self._engine.router.receivers(accounts, profile.jid, blocks):
                if mark <= receiver.caught_up:
                    receiver.missed = mark
                    continue
                wanted = by_interests.get(receiver.interests)
                if wanted is None:
                    wanted = by_interests[receiver.interests] = views.wanted(viewer, receiver.interests)
                for prefix, suffix in wanted:
                    receiver.outlet.send(prefix + receiver.to + suffix)

    def _as_told(self, profile: Profile) -> Profile:
        """A profile with the mark that is told with it: the highest up to which a client knows all once it has it."""
        return profile

    async def notify(self, jid: str, node: str, event: Template, viewer: Viewer) -> None:
        """An event of a profile's node to the user's own sessions, or to the contacts'."""
        accounts: Iterable[str] = (jid,)
        if viewer is not Viewer.SELF:
            roster = await self._engine.ports.contacts.roster(jid)
            accounts = [item.jid for item in roster if is_watcher(item.subscription)]
        blocks = await self._engine.ports.blocks.blocked(jid)
        send_each(self._engine.router.interested(accounts, node, jid, blocks), event)

    async def _avatar(self, receivers: Sequence[Resource], profile: Profile, viewer: Viewer) -> None:
        """The newest picture to those of the resources that want to know of it."""
        wanting = [receiver for receiver in receivers if NODE_AVATAR_METADATA in receiver.interests]
        event = await self._engine.avatars.event(profile, viewer) if wanting else None
        if event is not None:
            send_each(wanting, event)

    # ------------------------------------------------------------------------------------------------- who was away

    async def catch_up(self, receiver: Resource, nodes: frozenset[str]) -> None:
        """The newest events of those nodes to a resource that has just said it wants them (XEP-0163, section 4.3.4);
        to one that has named a mark, those that are newer.
        """
        apart = await blocking.apart_from(self._engine.ports, receiver.jid)
        told = await self._tell(receiver, nodes, apart)
        if NODE_AVATAR_METADATA in nodes:
            for profile, viewer in told:
                await self._avatar((receiver,), profile, viewer)
        await pep_nodes.catch_up(self._engine, receiver, nodes, apart.covers)

    async def _tell(self, receiver: Resource, nodes: frozenset[str], apart: Apart) -> list[tuple[Profile, Viewer]]:
        """Tell a resource what is newer than its mark, in the order of the marks, so that a client whose stream ends in
        the midst of it has a mark from which to go on. What is published meanwhile is read in a further round.
        """
        told: list[tuple[Profile, Viewer]] = []
        mark, before = receiver.since, receiver.caught_up
        receiver.caught_up, receiver.missed = CATCHING_UP, -1
        try:
            while True:
                published = receiver.missed
                news = await self._news(receiver.account, mark, apart)
                for profile, viewer in news:
                    self._send(receiver, profile, viewer, nodes)
                told += news
                mark = max(mark, published, *(profile.mark for profile, _ in news))
                if receiver.missed <= mark:
                    return told
        finally:
            receiver.caught_up = max(mark, before)

    def _send(self, receiver: Resource, profile: Profile, viewer: Viewer, nodes: frozenset[str]) -> None:
        for node, event in _events(profile, viewer).items():
            if node in nodes:
                send_each((receiver,), event)

    async def _news(self, account: str, since: int, apart: Apart) -> list[tuple[Profile, Viewer]]:
        """The profiles of an account and of its contacts that are newer than a mark."""
        store = self._engine.ports.profiles
        own = await store.lookup(account)
        news = [(own, Viewer.SELF)] if own is not None and own.mark > since else []
        news += [
            (each, Viewer.CONTACT) for each in await store.of_contacts(account, since) if not apart.covers(each.jid)
        ]
        return sorted(news, key=lambda found: found[0].mark)

    def introduce(self, jid: str, receivers: Sequence[Resource], mark: int) -> None:
        """A user's newest events to resources of somebody who is a contact from now on, as of that mark."""
        self.line_up(partial(self.show, jid, receivers, mark))

    async def show(self, jid: str, receivers: Sequence[Resource], mark: int) -> None:
        """The same, at one's turn. A profile that is newer than the mark is published behind it."""
        profile = await self._engine.ports.profiles.lookup(jid)
        if profile is not None:
            if profile.mark <= mark:
                as_told = self._as_told(replace(profile, mark=mark))
                for receiver in [each for each in receivers if mark > each.caught_up]:
                    self._send(receiver, as_told, Viewer.CONTACT, receiver.interests)
            await self._avatar(receivers, profile, Viewer.CONTACT)
        await pep_nodes.introduce(self._engine, jid, receivers)


class _Views:
    """The events of one change: encoded when somebody wants them, and once where two kinds of viewers see the same."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._encoded: list[tuple[Card, dict[str, Template]]] = []

    def wanted(self, viewer: Viewer, nodes: frozenset[str]) -> list[tuple[bytes, bytes]]:
        """What stands before and behind the receiver, in the events of those nodes."""
        if nodes.isdisjoint(_NODES):
            return []
        return [(event.prefix, event.suffix) for node, event in self._events(viewer).items() if node in nodes]

    def _events(self, viewer: Viewer) -> dict[str, Template]:
        card = profiles.card(profiles.redact(self._profile, viewer))
        for known, events in self._encoded:
            if known == card:
                return events
        events = _events(self._profile, viewer)
        self._encoded.append((card, events))
        return events


def _events(profile: Profile, viewer: Viewer) -> dict[str, Template]:
    """The event of each node that holds something for that viewer."""
    held = payloads(profiles.redact(profile, viewer))
    return {node: notification(profile.jid, node, CURRENT_ITEM, payload) for node, payload in held.items()}
