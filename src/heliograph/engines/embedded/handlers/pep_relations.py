"""Subscriptions to a user's nodes, and affiliations to them (XEP-0060, sections 5.6, 5.7, 6.1, 6.2, 8.8 and 8.9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from heliograph.core import pep_ties
from heliograph.core.pep_nodes import Node
from heliograph.core.pep_ties import Tie
from heliograph.core.profiles import Viewer
from heliograph.engines.embedded.handlers import pep_audience, pep_nodes
from heliograph.engines.embedded.handlers.addressing import answer
from heliograph.engines.embedded.router import Resource
from heliograph.errors import AccountNotFound
from heliograph.xmpp import pep_relations
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.pep import PROFILE_NODES, Relation, RelationsRequest
from heliograph.xmpp.pep_config import SendLast
from heliograph.xmpp.pep_relations import Affiliation, Entry, RelationsChange, SubscriptionRequest
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError, bad_request, item_not_found

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


# --------------------------------------------------------------------------------------------------- those of a visitor


async def subscribe(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, request: SubscriptionRequest
) -> None:
    """Subscribe the sender to a node, or end that (sections 6.1 and 6.2); who begins gets the newest item."""
    if request.node in PROFILE_NODES:
        raise StanzaError("cancel", "not-allowed", "The profile is told to contacts whose capabilities ask for it")
    pep_relations.check_own(request, sender.account)
    store, jid = engine.ports.pep_ties, str(request.jid)
    if request.is_end:
        await store.change(target.bare, request.node, sender.account, partial(pep_ties.decide_unsubscribe, jid=jid))
        answer(sender, stanza)
        return
    who = await pep_ties.visitor(engine.ports, sender.account, target.bare)
    decide = partial(pep_ties.decide_subscribe, visitor=who, jid=jid)
    try:
        await store.change(target.bare, request.node, sender.account, decide)
    except AccountNotFound:
        raise item_not_found("There is no such node") from None
    answer(sender, stanza, pep_relations.subscribed_xml(request.node, jid))
    node = await engine.ports.pep.lookup(target.bare, request.node)
    if node is not None and node.config.send_last is not SendLast.NEVER:
        receivers = [*pep_audience.resources(engine, (jid,), target.bare, frozenset())]
        await pep_nodes.send_latest(engine, node, receivers)


async def get_own(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, request: RelationsRequest
) -> None:
    """Answer with what ties the sender to the nodes of an account (sections 5.6 and 5.7)."""
    who = await pep_ties.visitor(engine.ports, sender.account, target.bare)
    nodes = {node.name: node for node in await engine.ports.pep.nodes(target.bare)}
    is_owner = who.viewer is Viewer.SELF
    if is_owner and request.node is not None and request.node not in (*PROFILE_NODES, *nodes):
        raise item_not_found("There is no such node")
    ties = [tie for tie in await engine.ports.pep_ties.of_account(sender.account) if tie.owner == target.bare]
    if request.relation is Relation.SUBSCRIPTIONS:
        seen = [tie for tie in ties if tie.node in nodes and who.sees(tie.node, nodes[tie.node].config)]
        entries = [(tie.node, jid) for tie in seen for jid in tie.subscriptions]
    elif is_owner:
        entries = [(name, Affiliation.OWNER.value) for name in (*PROFILE_NODES, *nodes)]
    else:
        entries = [(tie.node, tie.affiliation.value) for tie in ties if tie.affiliation is not Affiliation.NONE]
    wanted = [entry for entry in entries if request.node in (None, entry[0])]
    answer(sender, stanza, pep_relations.own_relations_xml(request.relation, wanted))


async def catch_up(engine: EmbeddedEngine, receiver: Resource) -> None:
    """The newest items of the nodes to which a resource has subscribed that is available from now on; those that its
    capabilities ask for come by these.
    """
    for tie in await engine.ports.pep_ties.of_account(receiver.account):
        is_told = receiver.jid in tie.subscriptions or (
            receiver.account in tie.subscriptions and receiver.priority >= 0
        )
        if not is_told or tie.node in receiver.interests:
            continue
        node = await engine.ports.pep.lookup(tie.owner, tie.node)
        if node is None or node.config.send_last is not SendLast.ON_SUB_AND_PRESENCE:
            continue
        if await _sees(engine, receiver.account, node):
            await pep_nodes.send_latest(engine, node, (receiver,))


async def _sees(engine: EmbeddedEngine, account: str, node: Node) -> bool:
    try:
        who = await pep_ties.visitor(engine.ports, account, node.owner)
    except StanzaError:  # one blocks the other
        return False
    return who.sees(node.name, node.config)


# ------------------------------------------------------------------------------------------------------ those of a node


async def get_of_node(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, request: RelationsRequest) -> None:
    """Answer the owner with all that is tied to a node (sections 8.8.1 and 8.9.1)."""
    name = request.node or ""
    if name not in PROFILE_NODES:
        await _existing(engine, sender.account, name)
    ties = await engine.ports.pep_ties.of_node(sender.account, name)
    if request.relation is Relation.SUBSCRIPTIONS:
        entries = [(jid, "") for tie in ties for jid in tie.subscriptions]
    else:
        named = [(tie.account, tie.affiliation.value) for tie in ties if tie.affiliation is not Affiliation.NONE]
        entries = [(sender.account, Affiliation.OWNER.value), *named]
    answer(sender, stanza, pep_relations.relations_xml(request, entries))


async def change(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, request: RelationsChange) -> None:
    """Change affiliations or end subscriptions of a node as its owner says (sections 8.8.2 and 8.9.2), one after the
    other; the first that cannot be ends it.
    """
    owner, name = sender.account, request.node
    if name in PROFILE_NODES:
        raise StanzaError("cancel", "not-allowed", "Who sees the profile is a matter of the profile")
    await _existing(engine, owner, name)
    if request.relation is Relation.AFFILIATIONS and any(entry.jid.bare == owner for entry in request.entries):
        raise bad_request("A node has one owner, whose it stays")
    for entry in request.entries:
        try:
            await _change_one(engine, owner, name, request.relation, entry)
        except AccountNotFound:
            raise item_not_found(f"There is no user {entry.jid.bare}") from None
    answer(sender, stanza)


async def _change_one(engine: EmbeddedEngine, owner: str, name: str, relation: Relation, entry: Entry) -> Tie:
    account, store = entry.jid.bare, engine.ports.pep_ties
    if relation is Relation.SUBSCRIPTIONS:
        return await store.change(owner, name, account, partial(pep_ties.decide_unsubscribe, jid=str(entry.jid)))
    who, named = await pep_ties.visitor(engine.ports, account, owner), Affiliation(entry.value)
    decide = partial(pep_ties.decide_affiliation, visitor=who, affiliation=named)
    return await store.change(owner, name, account, decide)


async def _existing(engine: EmbeddedEngine, owner: str, name: str) -> Node:
    node = await engine.ports.pep.lookup(owner, name)
    if node is None:
        raise item_not_found("There is no such node")
    return node
