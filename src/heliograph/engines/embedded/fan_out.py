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
from itertools import islice
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

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_NODES = (NODE_VCARD4, NODE_NICK)
"""The nodes that a profile's events are of; see `payloads`."""
CATCHING_UP = sys.maxsize
"""Above every mark: what is published now is among what the resource is about to be told."""
_RETRY_S = 1.0
_SAMPLE = 128
"""How many receivers are looked at to find out what is wanted: clients are of few makes."""


class FanOut:
    """Publishes profiles to connected resources."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self._line: deque[Callable[[], Awaitable[None]]] = deque()  # as long as the writes that have just been made

    def prepare(self, profile: Profile) -> ProfileEvents:
        """The events of a profile that is about to be stored, encoded as the first of those want them who are there.

        The commit is under way meanwhile. Whom the events go to is only looked up in `publish`, as that may change.
        """
        events = self._events_of(profile)
        account = self._engine.router.accounts.get(profile.jid) if self._engine.hears_all else None
        if account is not None:
            for accounts, viewer in (((profile.jid,), Viewer.SELF), (account.watchers, Viewer.CONTACT)):
                for receiver in islice(self._engine.router.receivers(accounts, profile.jid, account.blocks), _SAMPLE):
                    events.wanted(viewer, receiver.interests)
        return events

    def publish(self, events: ProfileEvents) -> None:
        """A profile changed: at once if the user is connected, else as soon as the contacts are read."""
        account = self._engine.router.accounts.get(events.profile.jid) if self._engine.hears_all else None
        if not self._line and account is not None and account.has_contacts:
            self._spread(events, account.watchers, account.blocks)
        else:
            self.line_up(partial(self._read_and_spread, events))

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

    async def _read_and_spread(self, events: ProfileEvents) -> None:
        jid = events.profile.jid
        roster = await self._engine.ports.contacts.roster(jid)
        blocks = await self._engine.ports.blocks.blocked(jid)
        self._spread(events, [item.jid for item in roster if is_watcher(item.subscription)], blocks)

    def _spread(self, events: ProfileEvents, watchers: Iterable[str], blocks: frozenset[str]) -> None:
        jid, mark = events.profile.jid, events.profile.mark
        for accounts, viewer in (((jid,), Viewer.SELF), (watchers, Viewer.CONTACT)):
            interests: frozenset[str] | None = None
            wanted: Sequence[tuple[bytes, bytes]] = ()
            for receiver in self._engine.router.receivers(accounts, jid, blocks):
                if mark <= receiver.caught_up:
                    receiver.missed = mark
                    continue
                if receiver.interests is not interests:  # clients of one make share theirs
                    interests = receiver.interests
                    wanted = events.wanted(viewer, interests)
                for prefix, suffix in wanted:
                    receiver.outlet.send(prefix + receiver.to + suffix)

    def _events_of(self, profile: Profile) -> ProfileEvents:
        return ProfileEvents(profile, self._as_told(profile))

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
        for node, event in _events(profiles.redact(profile, viewer)).items():
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


class ProfileEvents:
    """The events of one change: encoded when somebody wants them, and once where two kinds of viewers see the same.

    Args:
        profile: as it was changed.
        as_told: the same with the mark that is told.
    """

    def __init__(self, profile: Profile, as_told: Profile) -> None:
        self.profile = profile
        self._as_told = as_told
        self._encoded: list[tuple[Profile, dict[str, Template]]] = []
        self._wanted: dict[tuple[Viewer, frozenset[str]], Sequence[tuple[bytes, bytes]]] = {}

    def wanted(self, viewer: Viewer, nodes: frozenset[str]) -> Sequence[tuple[bytes, bytes]]:
        """What stands before and behind the receiver, in the events of those nodes."""
        found = self._wanted.get((viewer, nodes))
        if found is None:
            events = {} if nodes.isdisjoint(_NODES) else self._events(viewer)
            found = [(event.prefix, event.suffix) for node, event in events.items() if node in nodes]
            self._wanted[viewer, nodes] = found
        return found

    def _events(self, viewer: Viewer) -> dict[str, Template]:
        seen = profiles.redact(self._as_told, viewer)
        for known, events in self._encoded:
            if profiles.card(known) == profiles.card(seen):
                return events
        events = _events(seen)
        self._encoded.append((seen, events))
        return events


def _events(seen: Profile) -> dict[str, Template]:
    """The event of each node that holds something in a profile, as its viewer sees it."""
    held = payloads(seen)
    return {node: notification(seen.jid, node, CURRENT_ITEM, payload) for node, payload in held.items()}
