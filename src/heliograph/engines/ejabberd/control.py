"""What is done at ejabberd for one user: connections ended, roster and block list told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from heliograph.core import limits
from heliograph.core.contacts import RosterItem
from heliograph.core.ports import Ports
from heliograph.core.remote_server import Told, attribute
from heliograph.core.sessions import EndReason
from heliograph.engines.ejabberd.api import EjabberdApi, RosterEntry
from heliograph.xmpp.framing import as_document
from heliograph.xmpp.jid import bare_of
from heliograph.xmpp.presence import Kind, is_watcher, presence_xml
from heliograph.xmpp.session_end import SIGN_IN_AGAIN, end_text
from heliograph.xmpp.stanza import quote
from heliograph.xmpp.stream import Limits, parse_document

_LIST = "heliograph"
_PAIR_LOCKS = 64
_NS_PRIVACY = "jabber:iq:privacy"
_LIMITS = Limits(limits.STANZA_MAX_BYTES, limits.STANZA_MAX_DEPTH, limits.STANZA_MAX_ELEMENTS)


@dataclass(frozen=True, slots=True)
class Control:
    """Ejabberd, and what it has to follow."""

    api: EjabberdApi
    ports: Ports
    _pairs: tuple[asyncio.Lock, ...] = field(default_factory=lambda: tuple(asyncio.Lock() for _ in range(_PAIR_LOCKS)))

    async def end_session(self, jid: str, session_id: str, reason: EndReason) -> None:
        """End the connections of a session that is over. One of which nobody knows whose it is has to sign in again,
        which it can if it belongs to another session.
        """
        now = self.ports.clock.now()
        bound = await self.api.bound(jid, now)
        if not bound:
            return
        owners = attribute(bound, await self.ports.remote_server.sign_ins(jid))
        for resource, owner in owners.items():
            if owner == session_id:
                await self.api.kick(jid, resource, end_text(reason.value))
            elif owner is None:
                await self.api.kick(jid, resource, end_text(SIGN_IN_AGAIN))

    async def end_account(self, jid: str, reason: EndReason) -> None:
        """End all connections of an account; ejabberd forgets the account if it is gone."""
        for each in await self.api.bound(jid, self.ports.clock.now()):
            await self.api.kick(jid, each.resource, end_text(reason.value))
        if await self.ports.accounts.lookup(jid) is None:
            await self.api.forget(jid)

    async def check(self, jid: str) -> None:
        """End what should not be connected any more, after a time in which ejabberd was not told."""
        found = await self.ports.sessions.verifiers(jid)
        live = frozenset() if found is None or found[0].is_blocked else frozenset(each for each, _ in found[1])
        bound = await self.api.bound(jid, self.ports.clock.now())
        for resource, owner in attribute(bound, await self.ports.remote_server.sign_ins(jid)).items():
            if owner not in live:
                await self.api.kick(jid, resource, end_text(SIGN_IN_AGAIN))

    async def tell(self, jid: str) -> None:
        """Bring ejabberd's roster and privacy list of a user to what the stores hold."""
        store = self.ports.remote_server
        version = await self.ports.contacts.version(jid)
        blocked = await self.ports.blocks.blocked(jid)
        told = await store.told(jid)
        if version != told.roster_version:
            await self._tell_roster(jid)
        if blocked != told.blocked:
            await self._tell_blocked(jid, blocked)
        if Told(version, blocked) != told:
            await store.tell(jid, Told(version, blocked))

    async def put_right(self, jid: str) -> None:
        """Bring ejabberd's roster of a user to what the store holds, whatever it was told before."""
        await self._tell_roster(jid)

    async def say(self, to: str, stanza: str) -> None:
        """Send a stanza in the name of the user that it is from; if it names none, of the receiver's own account."""
        said = parse_document(as_document(stanza.encode()), _LIMITS)
        await self.api.send(said.get("from") or bare_of(to), to, stanza)

    async def _tell_roster(self, jid: str) -> None:
        wanted = {item.jid: _entry(item) for item in await self.ports.contacts.roster(jid) if item.is_listed}
        present = await self.api.roster(jid)
        for contact in present.keys() - wanted.keys():
            await self.api.remove_item(jid, contact)
        for contact, entry in wanted.items():
            if present.get(contact) == entry:
                continue
            if entry.subscription == "none":
                await self.api.set_item(jid, contact, entry)
            else:
                await self._tell_pair(jid, contact)

    async def _tell_pair(self, jid: str, contact: str) -> None:
        """Bring both items of a pair to what the stores hold. A request that was granted would wait on at ejabberd, and
        be shown again to each client that comes, so it is taken back first. Who takes one back is answered, by ejabberd
        itself, with the end of the own subscription: so that comes before either item is written, and once for both.
        """
        sides = ((jid, contact), (contact, jid))
        async with self._pairs[hash(frozenset((jid, contact))) % _PAIR_LOCKS]:  # its other side may be told just now
            missing = [(*side, await self._missing(*side)) for side in sides]
            for owner, other, entry in missing:
                if entry is not None and entry.is_first_grant:
                    await self.api.send(other, owner, presence_xml(Kind.UNSUBSCRIBE, other, owner))
            for owner, other, entry in missing:
                if entry is not None:
                    await self.api.set_item(owner, other, entry.wanted)

    async def _missing(self, owner: str, other: str) -> _Missing | None:
        """What ejabberd has still to be told of one item of a roster."""
        item = await self.ports.contacts.lookup(owner, other)
        if item is None or not item.is_listed:
            return None
        wanted, present = _entry(item), (await self.api.roster(owner)).get(other)
        is_granted = present is not None and is_watcher(present.subscription)
        return None if wanted == present else _Missing(wanted, is_watcher(wanted.subscription) and not is_granted)

    async def _tell_blocked(self, jid: str, blocked: Iterable[str]) -> None:
        """As privacy lists, which ejabberd keeps and applies whether or not the user is there."""
        entries = sorted(blocked)
        items = "".join(
            f"<item type='jid' value={quote(entry)} action='deny' order='{number}'/>"
            for number, entry in enumerate(entries, 1)
        )
        if entries:
            await self._set_privacy(jid, f"<list name='{_LIST}'>{items}</list>")
            await self._set_privacy(jid, f"<default name='{_LIST}'/>")
        else:
            await self._set_privacy(jid, "<default/>")

    async def _set_privacy(self, jid: str, content: str) -> None:
        query = f"<query xmlns='{_NS_PRIVACY}'>{content}</query>"
        await self.api.send(jid, jid, f"<iq type='set' id='heliograph'>{query}</iq>")


@dataclass(frozen=True, slots=True)
class _Missing:
    """What an item is to become.

    Attributes:
        is_first_grant: whether the contact sees the owner from now on, and may have asked for it.
    """

    wanted: RosterEntry
    is_first_grant: bool


def _entry(item: RosterItem) -> RosterEntry:
    return RosterEntry(item.subscription, item.name, frozenset(item.groups))
