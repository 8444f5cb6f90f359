"""Presence and presence subscriptions (RFC 6121, sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING

from heliograph.core import blocking, contacts, limits
from heliograph.core.contacts import RosterChange
from heliograph.engines.embedded.at_once import answered
from heliograph.engines.embedded.handlers import capabilities, offline, pep_audience, pep_relations, roster
from heliograph.engines.embedded.handlers.addressing import check_blocking, refuse, same_host
from heliograph.engines.embedded.router import Presence, Resource, send_each
from heliograph.xmpp.avatar import presence_content, with_photo
from heliograph.xmpp.blocking import matches
from heliograph.xmpp.jid import Jid, bare_of
from heliograph.xmpp.presence import (
    SUBSCRIPTION_KINDS,
    Kind,
    ProbeAnswer,
    answer_probe,
    broadcast,
    is_watched,
    is_watcher,
    parse,
    presence_xml,
)
from heliograph.xmpp.stanza import XML_LANG, Stanza, Template, quote
from heliograph.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def handle_presence(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> Coroutine[None, None, None] | None:
    """Broadcast a presence, or bring it to the one that it is for."""
    said = parse(stanza.element)
    if stanza.to is None:
        if said.kind is Kind.AVAILABLE:
            return _available(engine, sender, stanza, said.priority)
        if said.kind is Kind.UNAVAILABLE:
            lang = stanza.get(XML_LANG) or sender.lang
            _unavailable(engine, sender, template(sender.jid, said.kind, stanza.inner(), lang), said.status)
        return None
    target = same_host(sender, stanza, stanza.to)
    if target is None or not _passes(engine, sender, target, said.kind):
        return None
    if said.kind in SUBSCRIPTION_KINDS:
        return _subscribe(engine, sender, stanza, target, said.kind)
    if said.kind is Kind.PROBE:
        return _probe(engine, sender, target)
    _direct(engine, sender, stanza, target, said.kind)
    return None


def _passes(engine: EmbeddedEngine, sender: Resource, target: Jid, kind: Kind) -> bool:
    """Whether blocking lets a presence through: one's own word against it is an error, another's is silence (XEP-0191,
    section 3.3.4). What ends a subscription always does that.
    """
    try:
        check_blocking(engine, sender, target.bare, str(target))
    except StanzaError as error:
        if error.application:
            raise
        return kind in (Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBED)
    return True


# ---------------------------------------------------------------------------------------------------------- broadcast


def _available(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, priority: int
) -> Coroutine[None, None, None] | None:
    plan = broadcast(sender.is_available, Kind.AVAILABLE)
    takes_messages_now = sender.priority < 0 <= priority
    photo = engine.router.accounts[sender.account].photo
    sender.presence, sender.priority = presence_content(stanza, photo), priority
    sender.presence_lang = stanza.get(XML_LANG) or sender.lang
    if plan.is_probing:
        return answered(sender, _initial(engine, sender, stanza))
    _announce(engine, sender)
    work = capabilities.announced(engine, sender, stanza)
    return _take_messages(engine, sender, work) if takes_messages_now else work


async def _take_messages(engine: EmbeddedEngine, sender: Resource, before: Coroutine[None, None, None] | None) -> None:
    """The priority is not negative any more: what waits for the user comes."""
    if before is not None:
        await before
    await offline.deliver(engine, sender)


async def _initial(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> None:
    """The first presence of a resource (section 4.2), and what it is owed (sections 3.1.3 and 4.3)."""
    account = engine.router.accounts.get(sender.account)
    if account is None:  # its stream has ended before this began
        return
    items: Sequence[contacts.RosterItem] = () if account.loaded_for is sender else await roster.load(engine, sender)
    account.loaded_for = None
    is_noting = engine.noting > 0
    owed = await engine.ports.sign_ins.owed(sender.account_id)
    sender.has_status = is_noting or owed.has_status
    account.photo = await engine.avatars.photo(sender.account) if owed.has_picture else ""
    if not sender.is_available:  # or has ended meanwhile
        return
    sender.presence = presence_content(stanza, account.photo)
    _announce(engine, sender)
    _show_others(engine, sender, account, items)
    work = capabilities.announced(engine, sender, stanza)
    if work is not None:
        await work
    if owed.has_ties:
        await pep_relations.catch_up(engine, sender)
    if owed.has_messages and sender.is_available and sender.priority >= 0:
        await offline.deliver(engine, sender)


def _show_others(
    engine: EmbeddedEngine, sender: Resource, account: Presence, items: Sequence[contacts.RosterItem]
) -> None:
    """Who else is there, and who asks to be: the account's other resources, its contacts, requests without answer."""
    for other in account.resources.values():
        if other is not sender and other.presence is not None:
            tell(sender, other)
    for other in engine.router.receivers(account.watched, sender.jid, account.blocks):
        tell(sender, other)
    for item in items:
        if item.is_pending_in and not matches(account.blocks, item.jid):
            sender.outlet.send(presence_xml(Kind.SUBSCRIBE, item.jid, sender.account, item.request).encode())


def _announce(engine: EmbeddedEngine, sender: Resource) -> None:
    """The resource's presence to all who watch the account, and to all resources of the account (section 4.2.2)."""
    account = engine.router.accounts[sender.account]
    receivers = engine.router.receivers((*account.watchers, sender.account), sender.jid, account.blocks)
    send_each(receivers, template(sender.jid, "", sender.presence or b"", sender.presence_lang))


def show_photo(engine: EmbeddedEngine, jid: str, photo: str) -> None:
    """An account has another picture: say so in the presence of all its resources (XEP-0398, section 3)."""
    account = engine.router.accounts.get(jid)
    if account is None or account.photo == photo:
        return
    before, account.photo = account.photo, photo
    for resource in engine.router.available(jid):
        resource.presence = with_photo(resource.presence or b"", before, photo)
        _announce(engine, resource)


def template(jid: str, kind: str, content: bytes, lang: str | None = None) -> Template:
    """A presence from that JID for any number of receivers."""
    named = f" type='{kind}'" if kind else ""
    if lang:
        named += f" xml:lang={quote(lang)}"
    suffix = b">%b</presence>" % content if content else b"/>"
    return Template(f"<presence from={quote(jid)}{named} to=".encode(), suffix)


def tell(receiver: Resource, other: Resource, *, is_gone: bool = False) -> None:
    """Send one resource the presence of another, or that it is gone."""
    if is_gone:
        send_each((receiver,), template(other.jid, Kind.UNAVAILABLE, b""))
    else:
        send_each((receiver,), template(other.jid, "", other.presence or b"", other.presence_lang))


def _unavailable(engine: EmbeddedEngine, sender: Resource, ending: Template, status: str = "") -> None:
    """The resource goes, by its own word or because its stream ended (section 4.5). What the user's last one said is
    kept for those who ask later (XEP-0012, section 4).
    """
    plan = broadcast(sender.is_available, Kind.UNAVAILABLE)
    account = engine.router.accounts.get(sender.account)
    blocks = account.blocks if account is not None else sender.blocks_at_end
    told: set[str] = set()
    if plan.is_announced:
        watchers = account.watchers if account is not None else sender.watchers_at_end
        told = {*watchers, sender.account}
        send_each(engine.router.receivers(told, sender.jid, blocks), ending)
    for jid in sender.directed or ():
        if bare_of(jid) in told:
            continue
        found = engine.router.full.get(jid)
        send_each([found] if found else engine.router.available(jid), ending)
    sender.presence, sender.directed = None, None
    capabilities.forgotten(sender)
    if plan.is_announced and (status or sender.has_status) and not engine.router.available(sender.account):
        engine.begin(_note_status(engine, sender.account, status))


async def _note_status(engine: EmbeddedEngine, account: str, status: str) -> None:
    """Keep what a user said on going away; who comes online meanwhile cannot tell yet whether there is something."""
    engine.noting += 1
    try:
        await engine.ports.sessions.note_status(account, status[: limits.LAST_STATUS_MAX_CHARS])
    finally:
        engine.noting -= 1


def went_offline(engine: EmbeddedEngine, resource: Resource) -> None:
    """A bound stream ended: take it out, and tell those who saw it."""
    account = engine.router.accounts.get(resource.account)
    if account is not None:
        resource.watchers_at_end, resource.blocks_at_end = account.watchers, account.blocks
    engine.router.unbind(resource)
    _unavailable(engine, resource, template(resource.jid, Kind.UNAVAILABLE, b""))


# ------------------------------------------------------------------------------------------------ directed presence


def _direct(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, kind: Kind) -> None:
    """Presence for one receiver (section 4.6), remembered so that the end of it is told too."""
    full = str(target)
    if kind is Kind.AVAILABLE and not _remember(engine, sender, full):
        refuse(sender, stanza, "wait", "resource-constraint", "Too many entities got directed presence")
        return
    if kind is Kind.UNAVAILABLE and sender.directed is not None:
        sender.directed.discard(full)
    found = engine.router.full.get(full)
    if found is not None:
        found.outlet.send(stanza.encode(sender.jid, full, sender.lang))
    elif not target.resource and kind is not Kind.ERROR:
        for resource in engine.router.available(full):
            resource.outlet.send(stanza.encode(sender.jid, full, sender.lang))


def _remember(engine: EmbeddedEngine, sender: Resource, target: str) -> bool:
    """Whether there was room to remember a receiver; those who watch the account need not be remembered."""
    account = engine.router.accounts[sender.account]
    if sender.presence is not None and bare_of(target) in account.watchers:
        return True
    if sender.directed is None:
        sender.directed = set()
    if target not in sender.directed and len(sender.directed) >= limits.DIRECTED_PRESENCE_MAX:
        return False
    sender.directed.add(target)
    return True


async def _probe(engine: EmbeddedEngine, sender: Resource, target: Jid) -> None:
    """A client asks for a contact's presence (section 4.3); servers ask on their own, so this is seldom."""
    if await blocking.blocks(engine.ports, target.bare, sender.jid):
        return
    item = await engine.ports.contacts.lookup(target.bare, sender.account)
    available = engine.router.available(target.bare)
    match answer_probe(item.subscription if item else None, bool(available)):
        case ProbeAnswer.CURRENT:
            for resource in available:
                tell(sender, resource)
        case ProbeAnswer.UNAVAILABLE:
            sender.outlet.send(presence_xml(Kind.UNAVAILABLE, target.bare, sender.jid).encode())
        case ProbeAnswer.UNSUBSCRIBED:
            sender.outlet.send(presence_xml(Kind.UNSUBSCRIBED, target.bare, sender.jid).encode())


# ---------------------------------------------------------------------------------------------------- subscriptions


async def _subscribe(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, kind: Kind) -> None:
    """A subscription stanza: carried out on both rosters, then brought to the contact (section 3). A contact who blocks
    the sender is asked nothing.

    A request to a name that nobody has stands in the sender's roster alone, as one to any user who has not answered
    (section 3.1.3). Whoever registers that name later is not told of it: it was meant for somebody else, or for nobody,
    and nothing is kept for accounts that do not exist.
    """
    is_asking = kind in (Kind.SUBSCRIBE, Kind.SUBSCRIBED)
    if is_asking and await blocking.blocks(engine.ports, target.bare, sender.account):
        return
    said = stanza.inner().decode() if kind is Kind.SUBSCRIBE else ""
    done = await contacts.subscription(engine.ports, sender.account, target.bare, kind, said)
    if done.is_routed and not engine.router.blocks(target.bare, sender.account):
        data = stanza.encode(sender.account, target.bare)
        for resource in engine.router.available(target.bare):
            resource.outlet.send(data)
    if done.is_answered:
        answer = presence_xml(Kind.SUBSCRIBED, target.bare, sender.account).encode()
        for resource in engine.router.available(sender.account):
            resource.outlet.send(answer)


def contacts_changed(engine: EmbeddedEngine, changes: Sequence[RosterChange]) -> None:
    """Push roster changes, and show or hide presence and profile where a subscription began or ended."""
    for change in changes:
        roster.push(engine, change)
        if change.request is not None and not engine.router.blocks(change.owner, change.contact):
            told = presence_xml(change.request, change.contact, change.owner).encode()
            for resource in engine.router.available(change.owner):
                resource.outlet.send(told)
    for change in changes:
        account = engine.router.accounts.get(change.owner)
        if account is not None:
            account.changes += 1
            account.loaded_for = None
            _watch(engine, account, change)


def _end_subscriptions(engine: EmbeddedEngine, account: Presence, change: RosterChange) -> None:
    """A contact's account was deleted: say that both subscriptions are over (sections 3.2 and 3.3)."""
    ended = [(Kind.UNSUBSCRIBED, account.watched), (Kind.UNSUBSCRIBE, account.watchers)]
    for kind in [kind for kind, whose in ended if change.contact in whose]:
        told = presence_xml(kind, change.contact, change.owner).encode()
        for resource in engine.router.available(change.owner):
            resource.outlet.send(told)


def _watch(engine: EmbeddedEngine, account: Presence, change: RosterChange) -> None:
    if change.is_deletion and not engine.router.blocks(change.owner, change.contact):
        _end_subscriptions(engine, account, change)
    subscription = change.item.subscription if change.item else "none"
    was_watched = change.contact in account.watched
    if change.contact in account.watchers and not is_watcher(subscription):
        engine.spawn(pep_audience.end_lost_of(engine, change.owner, change.contact))
    _set_member(account.watchers, change.contact, is_watcher(subscription))
    _set_member(account.watched, change.contact, is_watched(subscription))
    if not account.has_contacts or was_watched == is_watched(subscription):
        return
    if engine.router.blocks(change.owner, change.contact) or engine.router.blocks(change.contact, change.owner):
        return
    receivers = engine.router.available(change.owner)
    for contact in engine.router.available(change.contact):
        for receiver in receivers:
            tell(receiver, contact, is_gone=was_watched)
    if not was_watched and receivers:
        engine.fan_out.introduce(change.contact, receivers, change.item.mark if change.item else 0)


def _set_member(members: set[str], member: str, is_in: bool) -> None:
    if is_in:
        members.add(member)
    else:
        members.discard(member)
