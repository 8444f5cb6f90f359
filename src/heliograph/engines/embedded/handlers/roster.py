"""The roster on the wire (RFC 6121, section 2)."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING

from heliograph.core import contacts, limits
from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.engines.embedded.at_once import answered
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, check_own, refuse
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.jid import Jid, JidMalformed, parse
from heliograph.xmpp.presence import is_watched, is_watcher, presence_xml
from heliograph.xmpp.roster import QUERY_TAG, Item, ItemLimits, RosterSet, parse_get, parse_set, push_xml, query_xml
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_LIMITS = ItemLimits(limits.CONTACT_NAME_MAX_BYTES, limits.CONTACT_GROUPS_MAX)


def _shown(item: RosterItem) -> Item:
    return Item(item.jid, item.subscription, item.name, item.groups, item.is_pending_out, item.is_approved)


def _get(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> Coroutine[None, None, None] | None:
    check_own(sender, target)
    return answered(sender, _show(engine, sender, stanza))


async def _show(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> None:
    known = parse_get(stanza.element[0]).ver
    sender.is_interested = True
    version = None
    if known is not None:
        version = _version(sender, await engine.ports.contacts.version(sender.account))
        if known == version:
            answer(sender, stanza)  # section 2.6.2: the client has it; what changes meanwhile is pushed
            return
    items = await load(engine, sender)
    shown = (_shown(item) for item in items if item.is_listed)
    answer(sender, stanza, query_xml(shown, version))


async def load(engine: EmbeddedEngine, receiver: Resource) -> Sequence[RosterItem]:
    """The roster of a resource's account. Whom the account watches and who watches it is known from then on; it is read
    again, where that changed meanwhile.
    """
    account = engine.router.accounts.get(receiver.account)
    if account is None:  # its last stream has ended
        return await engine.ports.contacts.roster(receiver.account)
    while True:
        changes = account.changes
        items = await engine.ports.contacts.roster(receiver.account)
        if changes == account.changes:
            break
    account.watchers = {item.jid for item in items if is_watcher(item.subscription)}
    account.watched = {item.jid for item in items if is_watched(item.subscription)}
    account.has_contacts = True
    account.loaded_for = None if any(item.is_pending_in for item in items) else receiver
    return items


def _version(resource: Resource, number: int) -> str:
    """What a version of the roster is called: not what one of an earlier account of that name was called."""
    return f"{resource.account_id}-{number}"


def _set(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> Coroutine[None, None, None] | None:
    wish = parse_set(stanza.element[0], _LIMITS)
    try:
        contact = parse(wish.jid).bare
    except JidMalformed as error:
        refuse(sender, stanza, "modify", "jid-malformed", str(error))
        return None
    return _carry_out(engine, sender, stanza, wish, contact)


async def _carry_out(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, wish: RosterSet, contact: str) -> None:
    if wish.is_removal:
        for kind in await contacts.remove_item(engine.ports, sender.account, contact):
            told = presence_xml(kind, sender.account, contact).encode()
            is_heard = not engine.router.blocks(contact, sender.account)
            for resource in engine.router.available(contact) if is_heard else ():
                resource.outlet.send(told)
    else:
        await contacts.set_item(engine.ports, sender.account, contact, wish.name, wish.groups)
    answer(sender, stanza)


def push(engine: EmbeddedEngine, change: RosterChange) -> None:
    """Tell the owner's interested resources of a change that shows (section 2.1.6)."""
    if not change.is_shown:
        return
    item = change.item
    shown = Item(change.contact, "remove") if item is None else _shown(item)
    for resource in engine.router.resources(change.owner):
        if resource.is_interested:
            version = _version(resource, change.version)  # for every client, whether it asks for it or not (2.6.3)
            resource.outlet.send(push_xml(shown, engine.next_id(), resource.jid, version).encode())


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.ACCOUNT, "get", QUERY_TAG): _get,
    (Scope.ACCOUNT, "set", QUERY_TAG): _set,
}
