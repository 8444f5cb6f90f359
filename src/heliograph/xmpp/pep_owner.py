"""What a node's owner asks for: create, configure, purge, delete (XEP-0060, section 8), and what others are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element

from heliograph.xmpp.disco import NS_DATA, parse_form
from heliograph.xmpp.pep import (
    NS_PUBSUB,
    NS_PUBSUB_EVENT,
    NS_PUBSUB_OWNER,
    Relation,
    RelationsRequest,
    node_of,
)
from heliograph.xmpp.pep_config import NODE_CONFIG, NodeConfig, form_xml
from heliograph.xmpp.stanza import Template, quote
from heliograph.xmpp.stanza_error import bad_request

_FORM = f"{{{NS_DATA}}}x"
_CREATE = f"{{{NS_PUBSUB}}}create"
_CONFIGURE = f"{{{NS_PUBSUB}}}configure"


class OwnerAction(StrEnum):
    """What is done to a node."""

    CREATE = "create"
    CONFIGURE = "configure"
    PURGE = "purge"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class OwnerRequest:
    """A request of a node's owner.

    Attributes:
        node: the node.
        action: what is to be done.
        options: the fields of the form of CREATE and CONFIGURE, each with its values; `None` where a change of the
            configuration was cancelled.
    """

    node: str
    action: OwnerAction
    options: Mapping[str, tuple[str, ...]] | None


def parse_create(pubsub: Element) -> OwnerRequest | None:
    """Read a request to create a node (section 8.1); `None` if it is something else.

    Raises:
        StanzaError: it is malformed.
    """
    create = pubsub.find(_CREATE)
    if create is None:
        return None
    configure = pubsub.find(_CONFIGURE)
    options = {} if configure is None else _options(configure)
    return OwnerRequest(node_of(create), OwnerAction.CREATE, options)


def parse_owner_get(pubsub: Element) -> str | None:
    """The node whose configuration is asked for (section 8.2.1); `None` for the default one (section 8.3).

    Raises:
        StanzaError: it is malformed, or asks for something else.
    """
    action = _action(pubsub)
    match action.tag.rpartition("}")[2]:
        case "configure":
            return node_of(action)
        case "default":
            return None
    raise bad_request("There is no such action here")


def parse_owner_relations(pubsub: Element) -> RelationsRequest | None:
    """Read a request for who is tied to a node (sections 8.8.1 and 8.9.1); `None` if it is something else.

    Raises:
        StanzaError: it is malformed.
    """
    action = _action(pubsub)
    name = action.tag.rpartition("}")[2]
    return RelationsRequest(Relation(name), node_of(action)) if name in set(Relation) else None


def parse_owner_set(pubsub: Element) -> OwnerRequest:
    """Read a request to configure, purge or delete a node (sections 8.2.4, 8.4 and 8.5).

    Raises:
        StanzaError: it is malformed, or asks for something else.
    """
    action = _action(pubsub)
    match action.tag.rpartition("}")[2]:
        case "configure":
            return OwnerRequest(node_of(action), OwnerAction.CONFIGURE, _options(action))
        case "purge":
            return OwnerRequest(node_of(action), OwnerAction.PURGE, None)
        case "delete":
            return OwnerRequest(node_of(action), OwnerAction.DELETE, None)
    raise bad_request("There is no such action here")


def _action(pubsub: Element) -> Element:
    if len(pubsub) != 1:
        raise bad_request("The request names one action")
    return pubsub[0]


def _options(configure: Element) -> Mapping[str, tuple[str, ...]] | None:
    form = configure.find(_FORM)
    if form is None:
        return {}
    if form.get("type") == "cancel":
        return None
    fields = {field.var: field.values for field in parse_form(form).fields}
    if fields.pop("FORM_TYPE", (NODE_CONFIG,)) != (NODE_CONFIG,):
        raise bad_request("The form of the configuration has another type")
    return fields


def configure_xml(node: str | None, config: NodeConfig) -> str:
    """The answer with a node's configuration, or with the default one."""
    name = "default" if node is None else f"configure node={quote(node)}"
    return f"<pubsub xmlns='{NS_PUBSUB_OWNER}'><{name}>{form_xml(config)}</{name.partition(' ')[0]}></pubsub>"


def created_xml(node: str) -> str:
    """The answer to the one who has created a node (section 8.1.2)."""
    return f"<pubsub xmlns='{NS_PUBSUB}'><create node={quote(node)}/></pubsub>"


def ended(sender_bare: str, node: str, action: OwnerAction) -> Template:
    """The message that tells that a node was purged or deleted (sections 8.4.2 and 8.5.2)."""
    event = f"<event xmlns='{NS_PUBSUB_EVENT}'><{action.value} node={quote(node)}/></event>"
    prefix = f"<message type='headline' from={quote(sender_bare)} to="
    return Template(prefix.encode(), f">{event}</message>".encode())
