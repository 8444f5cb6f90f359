"""Personal eventing (XEP-0163), the part of publish-subscribe (XEP-0060) in which each account is its own service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree.ElementTree import Element

from heliograph.xmpp.disco import NS_DATA, parse_form
from heliograph.xmpp.result_sets import RSM_TAG, PageRequest, parse_page
from heliograph.xmpp.stanza import Template, quote
from heliograph.xmpp.stanza_error import StanzaError, bad_request

NS_PUBSUB = "http://jabber.org/protocol/pubsub"
NS_PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event"
NS_PUBSUB_ERRORS = "http://jabber.org/protocol/pubsub#errors"
NS_PUBSUB_OWNER = "http://jabber.org/protocol/pubsub#owner"
PUBLISH_OPTIONS = "http://jabber.org/protocol/pubsub#publish-options"

NODE_VCARD4 = "urn:xmpp:vcard4"
NODE_NICK = "http://jabber.org/protocol/nick"
NODE_AVATAR_METADATA = "urn:xmpp:avatar:metadata"
NODE_AVATAR_DATA = "urn:xmpp:avatar:data"
PROFILE_NODES = (NODE_VCARD4, NODE_NICK, NODE_AVATAR_METADATA, NODE_AVATAR_DATA)
"""The nodes that are views of the profile."""
CURRENT_ITEM = "current"
"""The item's id in a node that holds one item, where the publisher names none (XEP-0060, section 12.21)."""

FEATURES = tuple(
    f"{NS_PUBSUB}#{name}"
    for name in (
        "access-open",
        "access-presence",
        "access-roster",
        "access-whitelist",
        "auto-create",
        "auto-subscribe",
        "config-node",
        "config-node-max",
        "create-and-configure",
        "create-nodes",
        "delete-items",
        "delete-nodes",
        "filtered-notifications",
        "item-ids",
        "last-published",
        "member-affiliation",
        "meta-data",
        "modify-affiliations",
        "multi-items",
        "outcast-affiliation",
        "persistent-items",
        "publish",
        "publish-options",
        "purge-nodes",
        "retrieve-affiliations",
        "retrieve-default",
        "retract-items",
        "retrieve-items",
        "retrieve-subscriptions",
        "subscribe",
    )
)
"""What an account's service can do, for its service discovery (XEP-0163, section 6.1)."""

PUBSUB_TAG = f"{{{NS_PUBSUB}}}pubsub"
OWNER_TAG = f"{{{NS_PUBSUB_OWNER}}}pubsub"
EVENT_TAG = f"{{{NS_PUBSUB_EVENT}}}event"
_ITEM = f"{{{NS_PUBSUB}}}item"
_FORM = f"{{{NS_DATA}}}x"
_ITEM_IDS_MAX = 64
_NAME_MAX_BYTES = 1023


@dataclass(frozen=True, slots=True)
class Publish:
    """A request to publish one item (XEP-0060, section 7.1).

    Attributes:
        item_id: `None` where the service chooses.
        payload: the one element inside the item.
        options: the publisher's preconditions, each with its values (section 7.1.5).
    """

    node: str
    item_id: str | None
    payload: Element
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemsRequest:
    """A request for items (XEP-0060, section 6.5): those ids, or the newest `max_items`, or all.

    Attributes:
        page: which of them (section 6.5.4); `None` where no page was asked for.
    """

    node: str
    item_ids: tuple[str, ...] = ()
    max_items: int | None = None
    page: PageRequest | None = None


class Relation(StrEnum):
    """What ties somebody to nodes (XEP-0060, sections 5.6 and 5.7)."""

    AFFILIATIONS = "affiliations"
    SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class RelationsRequest:
    """A request for one's relations to all nodes of a service, or to one."""

    relation: Relation
    node: str | None


@dataclass(frozen=True, slots=True)
class Retract:
    """A request to delete an item (XEP-0060, section 7.2)."""

    node: str
    item_id: str
    is_notify: bool = False


def pubsub_error(condition: str, feature: str = "") -> str:
    """An application-specific condition (XEP-0060, section 11), for `StanzaError.application`."""
    named = f" feature={quote(feature)}" if feature else ""
    return f"<{condition} xmlns='{NS_PUBSUB_ERRORS}'{named}/>"


def unsupported(feature: str) -> StanzaError:
    """`feature-not-implemented` that names a feature of section 10.1 of XEP-0060."""
    return StanzaError("cancel", "feature-not-implemented", application=pubsub_error("unsupported", feature))


def payload_too_big(max_bytes: int) -> StanzaError:
    """A payload over the limit (XEP-0060, section 7.1.3.5)."""
    text = f"A payload has at most {max_bytes} bytes"
    return StanzaError("modify", "not-acceptable", text, pubsub_error("payload-too-big"))


def precondition_not_met() -> StanzaError:
    """The publisher's options contradict the node's configuration (XEP-0060, section 7.1.5)."""
    return StanzaError("cancel", "conflict", application=pubsub_error("precondition-not-met"))


def parse_get(pubsub: Element) -> ItemsRequest | RelationsRequest:
    """Read `<pubsub/>` of an IQ get.

    Raises:
        StanzaError: it is malformed, or asks for something else than items, affiliations and subscriptions.
    """
    action = _action(pubsub)
    for relation in Relation:
        if action.tag == f"{{{NS_PUBSUB}}}{relation}":
            return RelationsRequest(relation, action.get("node") or None)
    if action.tag != f"{{{NS_PUBSUB}}}items":
        raise _unsupported_action(action)
    item_ids = tuple(item.get("id", "") for item in action.iterfind(_ITEM))
    if len(item_ids) > _ITEM_IDS_MAX:
        raise bad_request(f"A request names at most {_ITEM_IDS_MAX} items")
    page = None if pubsub.find(RSM_TAG) is None else parse_page(pubsub)
    return ItemsRequest(node_of(action), item_ids, _max_items(action.get("max_items")), page)


def parse_set(pubsub: Element) -> Publish | Retract:
    """Read `<pubsub/>` of an IQ set.

    Raises:
        StanzaError: it is malformed, or asks for something else than to publish or to retract.
    """
    action = _action(pubsub)
    if action.tag == f"{{{NS_PUBSUB}}}publish":
        return _parse_publish(action, pubsub)
    if action.tag == f"{{{NS_PUBSUB}}}retract":
        return _parse_retract(action)
    raise _unsupported_action(action)


def _action(pubsub: Element) -> Element:
    if pubsub.tag != PUBSUB_TAG or not len(pubsub):
        raise bad_request("The request names no action")
    return pubsub[0]


# The actions that are not served, and the feature that each belongs to (XEP-0060, section 10.1).
_UNSUPPORTED = {
    "options": "subscription-options",
    "default": "retrieve-default",
}


def _unsupported_action(action: Element) -> StanzaError:
    feature = _UNSUPPORTED.get(action.tag.removeprefix(f"{{{NS_PUBSUB}}}"))
    return unsupported(feature) if feature else bad_request("There is no such action here")


def node_of(action: Element) -> str:
    """The node that an action names.

    Raises:
        StanzaError: it names none, or one that is too long.
    """
    node = action.get("node")
    if not node:
        raise bad_request("The request names no node", pubsub_error("nodeid-required"))
    if len(node.encode()) > _NAME_MAX_BYTES:
        raise bad_request(f"The name of a node has at most {_NAME_MAX_BYTES} bytes")
    return node


def _max_items(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise bad_request("max_items is a positive integer")
    return int(text)


def _parse_publish(action: Element, pubsub: Element) -> Publish:
    node = node_of(action)
    if len(action) > 1:
        raise bad_request("One item is published at a time", pubsub_error("max-items-exceeded"))
    if not len(action) or action[0].tag != _ITEM:
        raise bad_request("There is no item", pubsub_error("item-required"))
    item = action[0]
    if not len(item):
        raise bad_request("The item has no payload", pubsub_error("payload-required"))
    if len(item) > 1:
        raise bad_request("An item has one payload", pubsub_error("invalid-payload"))
    return Publish(node, _item_id(item), item[0], _options(pubsub))


def _item_id(item: Element) -> str | None:
    item_id = item.get("id") or None
    if item_id is not None and len(item_id.encode()) > _NAME_MAX_BYTES:
        raise bad_request(f"The id of an item has at most {_NAME_MAX_BYTES} bytes")
    return item_id


def _options(pubsub: Element) -> dict[str, tuple[str, ...]]:
    form = pubsub.find(f"{{{NS_PUBSUB}}}publish-options/{_FORM}")
    if form is None:
        return {}
    fields = {field.var: field.values for field in parse_form(form).fields}
    if fields.pop("FORM_TYPE", ()) != (PUBLISH_OPTIONS,):
        raise bad_request("The form of the publish options has another type")
    return fields


def _parse_retract(action: Element) -> Retract:
    node = node_of(action)
    item_id = _item_id(action[0]) if len(action) == 1 and action[0].tag == _ITEM else None
    if item_id is None:
        raise bad_request("One item is retracted at a time, by its id", pubsub_error("item-required"))
    return Retract(node, item_id, action.get("notify") in ("true", "1"))


# ---------------------------------------------------------------------------------------------------- requests, answers


def publish_xml(node: str, item_id: str | None, payload: str) -> str:
    """The payload of an IQ set that publishes (section 7.1 of XEP-0060)."""
    return f"<pubsub xmlns='{NS_PUBSUB}'><publish node={quote(node)}>{_item_xml(item_id, payload)}</publish></pubsub>"


def published_xml(node: str, item_id: str) -> str:
    """The result of a publish request: the node and the item's id (section 7.1.2)."""
    return publish_xml(node, item_id, "")


def items_xml(node: str, items: Iterable[tuple[str, str]], page: str = "") -> str:
    """The result of a request for items, each an id and a payload as XML (section 6.5.3).

    Args:
        node: the node.
        items: oldest first.
        page: what `page_xml` says of them.
    """
    content = "".join(_item_xml(item_id, payload) for item_id, payload in items)
    return f"<pubsub xmlns='{NS_PUBSUB}'><items node={quote(node)}>{content}</items>{page}</pubsub>"


def _item_xml(item_id: str | None, payload: str) -> str:
    start = "<item" if item_id is None else f"<item id={quote(item_id)}"
    return f"{start}>{payload}</item>" if payload else f"{start}/>"


# --------------------------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at a node (XEP-0060, section 7.1.2): items, newest last, and ids of items that are gone.

    Attributes:
        items: each an id and a payload, which may be missing.
    """

    node: str
    items: tuple[tuple[str, Element | None], ...] = ()
    retracted: tuple[str, ...] = ()


def event_xml(node: str, item_id: str, payload: str) -> str:
    """The content of a message that tells of a published item (section 7.1.2)."""
    item = _item_xml(item_id, payload)
    return f"<event xmlns='{NS_PUBSUB_EVENT}'><items node={quote(node)}>{item}</items></event>"


def retract_event_xml(node: str, item_id: str) -> str:
    """The content of a message that tells of a deleted item (section 7.2.2)."""
    item = f"<retract id={quote(item_id)}/>"
    return f"<event xmlns='{NS_PUBSUB_EVENT}'><items node={quote(node)}>{item}</items></event>"


def retraction(sender_bare: str, node: str, item_id: str) -> Template:
    """The message that tells of a deleted item, from the account itself."""
    prefix = f"<message type='headline' from={quote(sender_bare)} to="
    return Template(prefix.encode(), f">{retract_event_xml(node, item_id)}</message>".encode())


def notification(sender_bare: str, node: str, item_id: str, payload: str) -> Template:
    """The message that tells of a published item, from the account itself (XEP-0163, section 4.3.1).

    Args:
        sender_bare: the bare JID of the account that owns the node.
        node: the node.
        item_id: the item's id.
        payload: the item's payload as XML.
    """
    prefix = f"<message type='headline' from={quote(sender_bare)} to="
    return Template(prefix.encode(), f">{event_xml(node, item_id, payload)}</message>".encode())


def parse_event(event: Element) -> Event | None:
    """Read `<event/>` of a message; `None` if it is not about items."""
    found = event.find(f"{{{NS_PUBSUB_EVENT}}}items")
    if event.tag != EVENT_TAG or found is None:
        return None
    items = tuple(
        (item.get("id", ""), item[0] if len(item) else None) for item in found.iterfind(f"{{{NS_PUBSUB_EVENT}}}item")
    )
    retracted = tuple(item.get("id", "") for item in found.iterfind(f"{{{NS_PUBSUB_EVENT}}}retract"))
    return Event(found.get("node", ""), items, retracted)
