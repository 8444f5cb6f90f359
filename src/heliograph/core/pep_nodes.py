"""The nodes of a user's own service, beside those of the profile (XEP-0163): what they keep, and who may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import limits, pep_ties
from heliograph.xmpp import pep, pep_config
from heliograph.xmpp.pep_config import NodeConfig
from heliograph.xmpp.result_sets import PageRequest
from heliograph.xmpp.stanza_error import StanzaError, item_not_found

if TYPE_CHECKING:
    from heliograph.core.ports import Ports

__all__ = ["Found", "Item", "Node", "NodeConfig", "Outcome"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a node.

    Attributes:
        id: unique in its node.
        payload: XML that needs no prefix or default namespace from outside.
    """

    id: str
    payload: str

    @property
    def size(self) -> int:
        """What it counts against the limits, in bytes."""
        return len(self.payload.encode()) + len(self.id.encode())


@dataclass(frozen=True, slots=True)
class Node:
    """One node of an account."""

    owner: str
    name: str
    config: NodeConfig


@dataclass(frozen=True, slots=True)
class Found:
    """What a change of a node is decided over.

    Attributes:
        config: how it is configured; `None` where it does not exist.
        sizes: the bytes of each item by its id, oldest first.
        account_bytes: of all items of the account.
        account_nodes: how many nodes the account has.
    """

    config: NodeConfig | None
    sizes: Mapping[str, int]
    account_bytes: int
    account_nodes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change of a node writes.

    Attributes:
        config: how it is configured from now on; `None` where it is no more.
        put: a new item, which takes the place of one with the same id.
        removed: the ids of items that are gone.
    """

    config: NodeConfig | None
    put: Item | None = None
    removed: tuple[str, ...] = ()


# --------------------------------------------------------------------------------------------------------------- rules


def decide_publish(found: Found, item: Item, options: Mapping[str, tuple[str, ...]]) -> Outcome:
    """Publish an item, in a node that is made if need be (XEP-0060, sections 7.1.4 and 7.1.5).

    Raises:
        StanzaError: the node is configured otherwise than the publisher wants, or there is no room.
    """
    if item.size > limits.PEP_ITEM_MAX_BYTES:
        raise pep.payload_too_big(limits.PEP_ITEM_MAX_BYTES)
    if found.config is None:
        config = decide_create(found, options).config or NodeConfig()
    else:
        config = found.config
        if not pep_config.is_met(config, options, limits.PEP_ITEMS_MAX):
            raise pep.precondition_not_met()
    if not config.is_persistent:
        return Outcome(config)
    others = {name: size for name, size in found.sizes.items() if name != item.id}
    removed = _excess(others, config.max_items - 1, limits.PEP_NODE_MAX_BYTES - item.size)
    kept = sum(size for name, size in others.items() if name not in removed)
    elsewhere = found.account_bytes - sum(found.sizes.values())
    if elsewhere + kept + item.size > limits.PEP_ACCOUNT_MAX_BYTES:
        raise StanzaError("wait", "resource-constraint", "The account's nodes hold as much as they may")
    return Outcome(config, item, removed)


def _excess(sizes: Mapping[str, int], max_items: int, max_bytes: int) -> tuple[str, ...]:
    """The oldest items, which have to go so that the rest fits."""
    names, total = [*sizes], sum(sizes.values())
    gone: list[str] = []
    while len(names) - len(gone) > max_items or total > max_bytes:
        total -= sizes[names[len(gone)]]
        gone.append(names[len(gone)])
    return tuple(gone)


def decide_create(found: Found, options: Mapping[str, tuple[str, ...]]) -> Outcome:
    """Make a node.

    Raises:
        StanzaError: it is there, there is no room, or it cannot be configured so.
    """
    if found.config is not None:
        raise StanzaError("cancel", "conflict", "The node exists")
    if found.account_nodes >= limits.PEP_NODES_MAX:
        raise StanzaError("wait", "resource-constraint", "The account has as many nodes as it may")
    return Outcome(pep_config.changed(NodeConfig(), options, limits.PEP_ITEMS_MAX))


def decide_configure(found: Found, options: Mapping[str, tuple[str, ...]]) -> Outcome:
    """Change a node's configuration; items for which there is no room any more go.

    Raises:
        StanzaError: there is no such node, or it cannot be configured so.
    """
    config = pep_config.changed(_existing(found), options, limits.PEP_ITEMS_MAX)
    max_items = config.max_items if config.is_persistent else 0
    return Outcome(config, removed=_excess(found.sizes, max_items, limits.PEP_NODE_MAX_BYTES))


def decide_retract(found: Found, item_id: str) -> Outcome:
    """Delete an item (XEP-0060, section 7.2).

    Raises:
        StanzaError: there is no such node or item.
    """
    config = _existing(found)
    if item_id not in found.sizes:
        raise item_not_found("The node has no such item")
    return Outcome(config, removed=(item_id,))


def decide_purge(found: Found) -> Outcome:
    """Delete all items (XEP-0060, section 8.5).

    Raises:
        StanzaError: there is no such node.
    """
    return Outcome(_existing(found), removed=tuple(found.sizes))


def decide_delete(found: Found) -> Outcome:
    """Delete the node with its items (XEP-0060, section 8.4).

    Raises:
        StanzaError: there is no such node.
    """
    _existing(found)
    return Outcome(None, removed=tuple(found.sizes))


def _existing(found: Found) -> NodeConfig:
    if found.config is None:
        raise item_not_found("There is no such node")
    return found.config


def page_of(items: Sequence[Item], wanted: PageRequest) -> tuple[Sequence[Item], int]:
    """One page of items, and how many items are before it (XEP-0060, section 6.5.4).

    Raises:
        StanzaError: the item that the page starts from is not there.
    """
    ids = [item.id for item in items]
    anchor = wanted.after or wanted.before
    if anchor and anchor not in ids:
        raise item_not_found("The node has no such item")
    start = ids.index(wanted.after) + 1 if wanted.after else 0
    end = ids.index(wanted.before) if wanted.before else len(ids)
    if wanted.max is not None and wanted.is_backwards:
        start = max(start, end - wanted.max)
    elif wanted.max is not None:
        end = min(end, start + wanted.max)
    return items[start:end], start


# ----------------------------------------------------------------------------------------------------------- use cases


async def items(
    ports: Ports, viewer_jid: str, owner: str, name: str, item_ids: Sequence[str], max_items: int | None
) -> list[Item]:
    """The items of a node, oldest first: those ids, or the newest `max_items`, or all.

    Raises:
        StanzaError: there is no such node, or it is not for the viewer.
    """
    who = await pep_ties.visitor(ports, viewer_jid, owner)
    node = await ports.pep.lookup(owner, name)
    if node is None:
        raise item_not_found("There is no such node")
    who.check(name, node.config)
    found = await ports.pep.items(owner, name)
    if item_ids:
        return [item for item in found if item.id in item_ids]
    return found if max_items is None else found[-max_items:]


async def visible(ports: Ports, viewer_jid: str, owner: str) -> list[str]:
    """The names of the nodes that a viewer may see, in order.

    Raises:
        StanzaError: one of the two blocks the other.
    """
    who = await pep_ties.visitor(ports, viewer_jid, owner)
    return [node.name for node in await ports.pep.nodes(owner) if who.sees(node.name, node.config)]
