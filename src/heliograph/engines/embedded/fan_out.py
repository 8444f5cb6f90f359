"""Bringing a profile to every screen: encoded once for each kind of viewer, spliced for each receiver.

An event goes to the available resources whose client asked for the node (XEP-0163, section 4.2): to the user's own as
the user sees the profile, to the contacts' as contacts see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from heliograph.core import blocking, profiles
from heliograph.core.profiles import Profile, Viewer
from heliograph.engines.embedded.handlers import pep_nodes
from heliograph.engines.embedded.handlers.pep import payloads
from heliograph.engines.embedded.router import Resource, send_each
from heliograph.xmpp.pep import CURRENT_ITEM, NODE_AVATAR_METADATA, notification
from heliograph.xmpp.presence import is_watcher
from heliograph.xmpp.stanza import Template

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


class FanOut:
    """Publishes profiles to connected resources."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine

    def publish(self, profile: Profile) -> None:
        """A profile changed: at once if the user is connected, else as soon as the contacts are read."""
        account = self._engine.router.accounts.get(profile.jid)
        if account is not None and account.has_contacts:
            self._spread(profile, account.watchers, account.blocks)
        else:
            self._engine.spawn(self._read_and_spread(profile))

    async def _read_and_spread(self, profile: Profile) -> None:
        roster = await self._engine.ports.contacts.roster(profile.jid)
        blocks = await self._engine.ports.blocks.blocked(profile.jid)
        self._spread(profile, [item.jid for item in roster if is_watcher(item.subscription)], blocks)

    def _spread(self, profile: Profile, watchers: Iterable[str], blocks: frozenset[str]) -> None:
        interested = self._engine.router.interested
        for accounts, viewer in (((profile.jid,), Viewer.SELF), (watchers, Viewer.CONTACT)):
            for node, event in _events(profile, viewer).items():
                send_each(interested(accounts, node, profile.jid, blocks), event)

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

    async def catch_up(self, receiver: Resource, nodes: frozenset[str]) -> None:
        """The newest events of those nodes to a resource that has just said it wants them (XEP-0163, section 4.3.4)."""
        own = await self._engine.ports.profiles.lookup(receiver.account)
        if own is not None:
            _send(receiver, _events(own, Viewer.SELF), nodes)
            if NODE_AVATAR_METADATA in nodes:
                await self._avatar((receiver,), own, Viewer.SELF)
        apart = await blocking.apart_from(self._engine.ports, receiver.jid)
        for profile in await self._engine.ports.profiles.of_contacts(receiver.account):
            if not apart.covers(profile.jid):
                _send(receiver, _events(profile, Viewer.CONTACT), nodes)
                if NODE_AVATAR_METADATA in nodes:
                    await self._avatar((receiver,), profile, Viewer.CONTACT)
        await pep_nodes.catch_up(self._engine, receiver, nodes, apart.covers)

    async def introduce(self, jid: str, receivers: Sequence[Resource]) -> None:
        """A user's newest events to resources of somebody who is a contact from now on."""
        profile = await self._engine.ports.profiles.lookup(jid)
        if profile is not None:
            events = _events(profile, Viewer.CONTACT)
            for receiver in receivers:
                _send(receiver, events, receiver.interests)
            await self._avatar(receivers, profile, Viewer.CONTACT)
        await pep_nodes.introduce(self._engine, jid, receivers)


def _events(profile: Profile, viewer: Viewer) -> dict[str, Template]:
    """The event of each node that holds something for that viewer."""
    held = payloads(profiles.redact(profile, viewer))
    return {node: notification(profile.jid, node, CURRENT_ITEM, payload) for node, payload in held.items()}


def _send(receiver: Resource, events: dict[str, Template], nodes: frozenset[str]) -> None:
    for node, event in events.items():
        if node in nodes:
            send_each((receiver,), event)
