"""What is done at ejabberd for one user: connections ended, roster and block list told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
_NS_PRIVACY = "jabber:iq:privacy"
_LIMITS = Limits(limits.STANZA_MAX_BYTES, limits.STANZA_MAX_DEPTH, limits.STANZA_MAX_ELEMENTS)


@dataclass(frozen=True, slots=True)
class Control:
    """Ejabberd, and what it has to follow."""

    api: EjabberdApi
    ports: Ports

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
            before = present.get(contact)
            if before == entry:
                continue
            if is_watcher(entry.subscription) and not (before is not None and is_watcher(before.subscription)):
                # A request that was granted would wait on, and be shown again to each client that comes.
                await self.api.send(contact, jid, presence_xml(Kind.UNSUBSCRIBE, contact, jid))
            await self.api.set_item(jid, contact, entry)

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


def _entry(item: RosterItem) -> RosterEntry:
    return RosterEntry(item.subscription, item.name, frozenset(item.groups))
