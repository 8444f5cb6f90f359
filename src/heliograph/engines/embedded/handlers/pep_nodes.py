"""Personal eventing on any node of a user's own service but those of the profile (XEP-0163, XEP-0060)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from heliograph.core import pep_nodes
from heliograph.core.pep_nodes import Item, Node, NodeConfig
from heliograph.engines.embedded.handlers import pep_audience
from heliograph.engines.embedded.handlers.addressing import answer
from heliograph.engines.embedded.handlers.pep_audience import tell
from heliograph.engines.embedded.router import Resource, send_each
from heliograph.xmpp import pep, pep_owner
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.pep import PROFILE_NODES, ItemsRequest, Publish, Retract
from heliograph.xmpp.pep_config import SendLast
from heliograph.xmpp.pep_owner import OwnerAction, OwnerRequest
from heliograph.xmpp.result_sets import page_xml
from heliograph.xmpp.stanza import Stanza, Template, serialize
from heliograph.xmpp.stanza_error import StanzaError, item_not_found

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_ITEM_ID_BYTES = 9
_NO_NAMESPACE = " "  # that of no element, so that a payload always declares its own


def as_payload(element: Element) -> str:
    """An item's content as it is kept."""
    return serialize(element, _NO_NAMESPACE)


async def get_items(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, request: ItemsRequest
) -> None:
    """Answer with items that the sender may see (XEP-0060, section 6.5)."""
    found = await pep_nodes.items(
        engine.ports, sender.account, target.bare, request.node, request.item_ids, request.max_items
    )
    shown: Sequence[Item] = found
    told = ""
    if request.page is not None:
        shown, before = pep_nodes.page_of(found, request.page)
        first, last = (shown[0].id, shown[-1].id) if shown else (None, None)
        told = page_xml(first, last, len(found), before)
    answer(sender, stanza, pep.items_xml(request.node, [(item.id, item.payload) for item in shown], told))


async def publish(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, request: Publish) -> None:
    """Publish an item, and tell of it (XEP-0060, section 7.1)."""
    owner, node = sender.account, request.node
    item_id = request.item_id or engine.ports.ids.random(_ITEM_ID_BYTES).hex()
    item = Item(item_id, as_payload(request.payload))
    decide = partial(pep_nodes.decide_publish, item=item, options=request.options)
    outcome = await engine.ports.pep.change(owner, node, decide)
    answer(sender, stanza, pep.published_xml(node, item.id))
    if outcome.config is not None:
        await tell_item(engine, owner, node, outcome.config, item)


async def tell_item(engine: EmbeddedEngine, owner: str, node: str, config: NodeConfig, item: Item) -> None:
    """Tell of a new item, with its payload where the node says so (XEP-0060, section 7.1.2)."""
    await tell(engine, owner, node, config, _notification(owner, node, config, item))


def _notification(owner: str, node: str, config: NodeConfig, item: Item) -> Template:
    return pep.notification(owner, node, item.id, item.payload if config.has_payloads else "")


async def retract(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, request: Retract) -> None:
    """Delete an item, and tell of it where the request or the node says so (XEP-0060, section 7.2)."""
    owner, node = sender.account, request.node
    decide = partial(pep_nodes.decide_retract, item_id=request.item_id)
    outcome = await engine.ports.pep.change(owner, node, decide)
    answer(sender, stanza)
    if outcome.config is not None and (request.is_notify or outcome.config.is_notify_retract):
        await tell(engine, owner, node, outcome.config, pep.retraction(owner, node, request.item_id))


async def get_config(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> None:
    """Answer the owner with a node's configuration (XEP-0060, sections 8.2 and 8.3)."""
    name = pep_owner.parse_owner_get(stanza.element[0])
    config = NodeConfig()
    if name is not None:
        _check_own(name)
        node = await engine.ports.pep.lookup(sender.account, name)
        if node is None:
            raise item_not_found("There is no such node")
        config = node.config
    answer(sender, stanza, pep_owner.configure_xml(name, config))


async def own(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, request: OwnerRequest) -> None:
    """Create, configure, purge or delete a node (XEP-0060, section 8)."""
    owner, name, action = sender.account, request.node, request.action
    _check_own(name)
    if request.options is None and action is OwnerAction.CONFIGURE:
        answer(sender, stanza)  # the owner has left the form alone
        return
    before = await engine.ports.pep.lookup(owner, name)
    ties = await engine.ports.pep_ties.of_node(owner, name)
    options = request.options or {}
    match action:
        case OwnerAction.CREATE:
            await engine.ports.pep.change(owner, name, partial(pep_nodes.decide_create, options=options))
        case OwnerAction.CONFIGURE:
            outcome = await engine.ports.pep.change(owner, name, partial(pep_nodes.decide_configure, options=options))
            if outcome.config is not None and ties:
                await pep_audience.end_lost(engine, owner, name, outcome.config)
        case OwnerAction.PURGE:
            await engine.ports.pep.change(owner, name, pep_nodes.decide_purge)
        case OwnerAction.DELETE:
            await engine.ports.pep.change(owner, name, pep_nodes.decide_delete)
    answer(sender, stanza, pep_owner.created_xml(name) if action is OwnerAction.CREATE else "")
    if before is not None and (
        (action is OwnerAction.PURGE and before.config.is_notify_retract)
        or (action is OwnerAction.DELETE and before.config.is_notify_delete)
    ):
        await tell(engine, owner, name, before.config, pep_owner.ended(owner, name, action), ties)


def _check_own(name: str) -> None:
    """The nodes of the profile are views of it: their owner neither makes nor configures nor ends them."""
    if name in PROFILE_NODES:
        raise StanzaError("cancel", "not-allowed", "The node shows the profile")


async def catch_up(
    engine: EmbeddedEngine, receiver: Resource, nodes: Iterable[str], is_apart: Callable[[str], bool]
) -> None:
    """The newest items of those nodes, the user's own and the contacts', to a resource that has just said it wants
    them (XEP-0163, section 4.3.4).

    Args:
        engine: the server.
        receiver: the resource.
        nodes: what it wants.
        is_apart: whether blocking keeps an account apart from the receiver.
    """
    wanted = frozenset(nodes).difference(PROFILE_NODES)
    if not wanted:
        return
    store = engine.ports.pep
    own, others = await store.nodes(receiver.account), await store.nodes_of_contacts(receiver.account)
    asked = [node for node in others if _is_caught_up(node, wanted) and not is_apart(node.owner)]
    seen = await pep_audience.seen_by_contact(engine, asked, receiver.account) if asked else []
    for node in (*(node for node in own if _is_caught_up(node, wanted)), *seen):
        await send_latest(engine, node, (receiver,))


def _is_caught_up(node: Node, wanted: frozenset[str]) -> bool:
    return node.name in wanted and node.config.send_last is SendLast.ON_SUB_AND_PRESENCE


async def introduce(engine: EmbeddedEngine, owner: str, receivers: Sequence[Resource]) -> None:
    """The newest items of a user's nodes to resources of somebody who is a contact from now on."""
    wanted: frozenset[str] = frozenset().union(*(receiver.interests for receiver in receivers))
    nodes = [node for node in await engine.ports.pep.nodes(owner) if node.name in wanted]
    for node in await pep_audience.seen_by_contact(engine, nodes, receivers[0].account) if nodes else ():
        if node.config.send_last is not SendLast.NEVER:
            await send_latest(engine, node, [receiver for receiver in receivers if node.name in receiver.interests])


async def send_latest(engine: EmbeddedEngine, node: Node, receivers: Sequence[Resource]) -> None:
    """The newest item of a node, if there is one, to those resources."""
    item = await engine.ports.pep.latest(node.owner, node.name) if receivers else None
    if item is not None:
        send_each(receivers, _notification(node.owner, node.name, node.config, item))
