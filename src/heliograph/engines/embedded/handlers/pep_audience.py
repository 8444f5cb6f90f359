"""Who is told of a user's node: contacts whose capabilities ask for it (XEP-0163, section 4.3), and whoever has
subscribed to it (XEP-0060, section 7.1.2), as far as the node is for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from heliograph.core import pep_ties
from heliograph.core.pep_nodes import Node, NodeConfig
from heliograph.core.pep_ties import Tie, Visitor, visitor_of
from heliograph.core.profiles import Viewer
from heliograph.engines.embedded.router import Resource, send_each
from heliograph.xmpp.blocking import matches
from heliograph.xmpp.jid import bare_of
from heliograph.xmpp.pep_config import AccessModel
from heliograph.xmpp.presence import is_watcher
from heliograph.xmpp.stanza import Template

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_OF_ALL_CONTACTS = (AccessModel.OPEN, AccessModel.PRESENCE)


async def tell(
    engine: EmbeddedEngine,
    owner: str,
    name: str,
    config: NodeConfig,
    notification: Template,
    ties: Sequence[Tie] | None = None,
) -> None:
    """Notify all who are to be told of a node, each of their resources once; who has subscribed and does not see the
    node any more has no subscription from now on.

    Args:
        engine: the server.
        owner: the bare JID of the node's owner.
        name: of the node.
        config: of the node.
        notification: what they are told.
        ties: to the node, where it is no more; `None` to read them.
    """
    found = await engine.ports.pep_ties.of_node(owner, name) if ties is None else ties
    contacts, subscribed, lost = await _seeing(engine, owner, name, config, found)
    account = engine.router.accounts.get(owner) if engine.hears_all else None
    blocks = account.blocks if account is not None else await engine.ports.blocks.blocked(owner)
    asked = engine.router.interested((owner, *contacts), name, owner, blocks)
    send_each(dict.fromkeys((*asked, *resources(engine, subscribed, owner, blocks))), notification)
    if ties is None:
        await _end(engine, lost)


async def _seeing(
    engine: EmbeddedEngine, owner: str, name: str, config: NodeConfig, ties: Sequence[Tie]
) -> tuple[Collection[str], list[str], list[Tie]]:
    """The contacts and the subscribed JIDs that a node is for, and the ties of subscribers that it is not for."""
    account = engine.router.accounts.get(owner) if engine.hears_all else None
    if not ties and account is not None and account.has_contacts and config.access_model in _OF_ALL_CONTACTS:
        return account.watchers, [], []
    if not ties and config.access_model is AccessModel.WHITELIST:
        return (), [], []
    roster = {item.jid: item for item in await engine.ports.contacts.roster(owner)}
    tied = {tie.account: tie for tie in ties}
    visitors = {jid: visitor_of(roster.get(jid), [tied[jid]] if jid in tied else ()) for jid in {*roster, *tied}}
    visitors[owner] = Visitor(Viewer.SELF)
    seeing = {jid for jid, visitor in visitors.items() if visitor.sees(name, config)}
    contacts = [jid for jid, item in roster.items() if jid in seeing and is_watcher(item.subscription)]
    subscribed = [jid for tie in ties if tie.account in seeing for jid in tie.subscriptions]
    return contacts, subscribed, [tie for tie in ties if tie.subscriptions and tie.account not in seeing]


def resources(engine: EmbeddedEngine, jids: Iterable[str], owner: str, blocks: frozenset[str]) -> Iterator[Resource]:
    """What is connected of subscribed JIDs: of a bare one the available resources that take messages, of a full one
    that resource, without those whom blocking keeps apart from the node's owner.
    """
    router = engine.router
    for jid in jids:
        bare = bare_of(jid)
        if bare == jid:
            yield from (each for each in router.receivers((jid,), owner, blocks) if each.priority >= 0)
        elif (found := router.full.get(jid)) is not None and (
            bare == owner or not (matches(blocks, jid) or router.blocks(bare, owner))
        ):
            yield found


async def end_lost(engine: EmbeddedEngine, owner: str, name: str, config: NodeConfig) -> None:
    """A node is configured anew: the subscriptions of those who do not see it any more are over."""
    ties = await engine.ports.pep_ties.of_node(owner, name)
    await _end(engine, (await _seeing(engine, owner, name, config, ties))[2])


async def end_lost_of(engine: EmbeddedEngine, owner: str, account: str) -> None:
    """Somebody is no contact of a user any more: their subscriptions to what was for contacts are over."""
    for tie in await engine.ports.pep_ties.of_account(account):
        node = await engine.ports.pep.lookup(owner, tie.node) if tie.owner == owner and tie.subscriptions else None
        if node is None:
            continue
        visitor = visitor_of(await engine.ports.contacts.lookup(owner, account), [tie])
        if not visitor.sees(node.name, node.config):
            await _end(engine, [tie])


async def _end(engine: EmbeddedEngine, lost: Iterable[Tie]) -> None:
    for tie in lost:
        await engine.ports.pep_ties.change(tie.owner, tie.node, tie.account, pep_ties.decide_end)


async def seen_by_contact(engine: EmbeddedEngine, nodes: Iterable[Node], jid: str) -> list[Node]:
    """Those of the nodes that are for somebody who is a contact of all their owners."""
    ties = await engine.ports.pep_ties.of_account(jid)
    seen = []
    for node in nodes:
        is_by_group = node.config.access_model is AccessModel.ROSTER
        item = await engine.ports.contacts.lookup(node.owner, jid) if is_by_group else None
        groups = frozenset() if item is None else frozenset(item.groups)
        affiliations = {tie.node: tie.affiliation for tie in ties if tie.owner == node.owner}
        if Visitor(Viewer.CONTACT, groups, affiliations).sees(node.name, node.config):
            seen.append(node)
    return seen
