"""The block list on the wire, and what a change of it hides and shows (XEP-0191)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import blocking
from heliograph.core.blocking import BlockChange
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, check_own
from heliograph.engines.embedded.handlers.presence import tell
from heliograph.engines.embedded.router import Presence, Resource
from heliograph.xmpp.blocking import (
    BLOCK_TAG,
    LIST_TAG,
    UNBLOCK_TAG,
    list_xml,
    matches,
    parse_block,
    parse_items,
    push_xml,
)
from heliograph.xmpp.jid import Jid, bare_of
from heliograph.xmpp.presence import is_watched, is_watcher
from heliograph.xmpp.stanza import Stanza, quote

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


async def _list(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    check_own(sender, target)
    sender.is_told_of_blocks = True
    answer(sender, stanza, list_xml(sorted(await engine.ports.blocks.blocked(sender.account))))


async def _block(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    await blocking.block(engine.ports, sender.account, parse_block(stanza.element[0]))
    answer(sender, stanza)


async def _unblock(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    await blocking.unblock(engine.ports, sender.account, parse_items(stanza.element[0]))
    answer(sender, stanza)


def blocks_changed(engine: EmbeddedEngine, change: BlockChange) -> None:
    """A list changed: hide from whom is blocked now, tell the owner's clients, show to whom is not any more. For
    profiles there is `reintroduce`.
    """
    engine.router.block_changes += 1
    account = engine.router.accounts.get(change.owner)
    if account is not None:
        account.blocks = change.blocked
        _hide_and_show(engine, account, change)
        _take_back_directed(engine, change)
        _push(engine, change)


def _push(engine: EmbeddedEngine, change: BlockChange) -> None:
    """Tell the clients that asked for the list (sections 3.3.3 and 3.4.3)."""
    told = [push_xml(change.added, is_blocked=True)] if change.added else []
    if change.removed:
        told.append(push_xml(() if change.is_all else change.removed, is_blocked=False))
    for resource in engine.router.resources(change.owner):
        for payload in told if resource.is_told_of_blocks else ():
            resource.outlet.send(
                f"<iq type='set' id={quote(engine.next_id())} to={quote(resource.jid)}>{payload}</iq>".encode()
            )


def _hide_and_show(engine: EmbeddedEngine, account: Presence, change: BlockChange) -> None:
    """End or restore what the owner and the contacts see of each other's presence (sections 3.3.3 and 3.4.3)."""
    before = (change.blocked | frozenset(change.removed)) - frozenset(change.added)
    own = engine.router.available(change.owner)
    for jid in account.watchers | account.watched:
        for other in engine.router.available(jid):
            is_hidden = matches(change.blocked, other.jid)
            if is_hidden == matches(before, other.jid):
                continue
            for mine in own:
                if engine.router.blocks(jid, mine.jid):
                    continue
                if jid in account.watchers:
                    tell(other, mine, is_gone=is_hidden)
                if jid in account.watched:
                    tell(mine, other, is_gone=is_hidden)


def _take_back_directed(engine: EmbeddedEngine, change: BlockChange) -> None:
    """End what directed presence showed to those who are blocked now, and to the owner of them."""
    for mine in engine.router.resources(change.owner):
        for jid in [jid for jid in mine.directed or () if matches(change.added, jid)]:
            _take_back(engine, mine, jid)
    for entry in change.added:
        for other in engine.router.resources(bare_of(entry)):
            if matches(change.added, other.jid):
                for jid in [jid for jid in other.directed or () if bare_of(jid) == change.owner]:
                    _take_back(engine, other, jid)


def _take_back(engine: EmbeddedEngine, sender: Resource, jid: str) -> None:
    if sender.directed is not None:
        sender.directed.discard(jid)
    found = engine.router.full.get(jid)
    for receiver in [found] if found else engine.router.available(jid):
        tell(receiver, sender, is_gone=True)


async def reintroduce(engine: EmbeddedEngine, change: BlockChange) -> None:
    """Bring the newest profile events to both sides, who did not get them while they were kept apart."""
    ports = engine.ports
    for item in await ports.contacts.roster(change.owner):
        if not matches(change.removed, item.jid) or matches(change.blocked, item.jid):
            continue
        if await blocking.blocks(ports, item.jid, change.owner):
            continue
        if is_watcher(item.subscription):
            mirror = await ports.contacts.lookup(item.jid, change.owner)
            mark = 0 if mirror is None else mirror.mark
            await engine.fan_out.show(change.owner, engine.router.available(item.jid), mark)
        if is_watched(item.subscription):
            await engine.fan_out.show(item.jid, engine.router.available(change.owner), item.mark)


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.ACCOUNT, "get", LIST_TAG): _list,
    (Scope.ACCOUNT, "set", BLOCK_TAG): _block,
    (Scope.ACCOUNT, "set", UNBLOCK_TAG): _unblock,
}
