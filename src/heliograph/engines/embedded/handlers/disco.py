"""Service discovery of the server and of accounts (XEP-0030; XEP-0163, section 6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from heliograph.core import pep_nodes
from heliograph.core.blocking import are_apart
from heliograph.core.profiles import Viewer, viewer_of
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, refuse
from heliograph.engines.embedded.handlers.ping import NS_PING
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import archive, offline, pep, pep_config, vcard
from heliograph.xmpp.avatar import NS_CONVERSION
from heliograph.xmpp.blocking import NS_BLOCKING
from heliograph.xmpp.caps import NS_CAPS, Caps, verification_string
from heliograph.xmpp.carbons import NS_CARBONS
from heliograph.xmpp.disco import (
    INFO_TAG,
    ITEMS_TAG,
    NS_DISCO_INFO,
    NS_DISCO_ITEMS,
    Identity,
    Info,
    Item,
    info_xml,
    items_xml,
)
from heliograph.xmpp.entity_time import NS_TIME
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.last_activity import NS_LAST
from heliograph.xmpp.private_storage import NS_PRIVATE
from heliograph.xmpp.result_sets import NS_RSM
from heliograph.xmpp.server_contact import contact_form
from heliograph.xmpp.software_version import NS_VERSION
from heliograph.xmpp.stable_ids import NS_STABLE_IDS
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_SERVER = (Identity("server", "im", "Heliograph"),)
_CAPS_HASH = "sha-1"  # the one that every client knows (XEP-0115, section 10)
_CAPS_NODE = "urn:heliograph:server"
_SERVER_FEATURES = (
    NS_DISCO_INFO,
    NS_DISCO_ITEMS,
    NS_CAPS,
    NS_PING,
    NS_BLOCKING,
    NS_CARBONS,
    offline.FEATURE,
    NS_VERSION,
    NS_TIME,
    NS_LAST,
    vcard.NS_VCARD_TEMP,
    NS_STABLE_IDS,
    NS_PRIVATE,
)
_LEAF = (Identity("pubsub", "leaf"),)
_ACCOUNT = (Identity("account", "registered"), Identity("pubsub", "pep"))
_ACCOUNT_FEATURES = (
    NS_DISCO_INFO,
    NS_DISCO_ITEMS,
    pep.NS_PUBSUB,
    *pep.FEATURES,
    NS_LAST,
    vcard.NS_VCARD_TEMP,
    NS_CONVERSION,
    NS_STABLE_IDS,
    NS_RSM,
)


def server_info(contact_addresses: Mapping[str, Sequence[str]]) -> Info:
    """All that a server says of itself."""
    form = contact_form(contact_addresses)
    return Info(_SERVER, _SERVER_FEATURES, () if form is None else (form,))


def server_caps(info: Info) -> Caps:
    """The announcement of it, for stream features (XEP-0115, section 6.3)."""
    return Caps(_CAPS_HASH, _CAPS_NODE, verification_string(info, _CAPS_HASH) or "")


def _server_info(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    node = stanza.element[0].get("node")
    info = engine.server_info
    if node and node != server_caps(info).query_node:
        refuse(sender, stanza, "cancel", "item-not-found")
    else:
        answer(sender, stanza, info_xml(info.identities, info.features, node, info.forms))


def _server_items(_engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    if stanza.element[0].get("node"):
        refuse(sender, stanza, "cancel", "item-not-found")
    else:
        answer(sender, stanza, items_xml(()))


async def _is_visible(engine: EmbeddedEngine, sender: Resource, target: Jid) -> bool:
    """Whether the account shows itself to the one who asks: to itself and to those who see its presence."""
    if target.bare == sender.account:
        return True
    item = await engine.ports.contacts.lookup(target.bare, sender.account)
    return viewer_of(item) is Viewer.CONTACT and not await are_apart(engine.ports, target.bare, sender.account)


async def _account_info(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    node = stanza.element[0].get("node")
    if not await _is_visible(engine, sender, target):
        refuse(sender, stanza, "cancel", "service-unavailable")
    elif not node:
        archived = archive.FEATURES if engine.archiver.is_on else ()
        answer(sender, stanza, info_xml(_ACCOUNT, (*_ACCOUNT_FEATURES, *archived)))
    elif node in pep.PROFILE_NODES:
        answer(sender, stanza, info_xml(_LEAF, (pep.NS_PUBSUB,), node))
    else:
        await _node_info(engine, sender, stanza, target, node)


async def _node_info(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, name: str) -> None:
    """Answer with what a node of a user's own is, and how its owner describes it (XEP-0060, sections 5.3 and 5.4)."""
    found = await engine.ports.pep.lookup(target.bare, name)
    if found is None or name not in await pep_nodes.visible(engine.ports, sender.account, target.bare):
        refuse(sender, stanza, "cancel", "item-not-found")
    else:
        answer(sender, stanza, info_xml(_LEAF, (pep.NS_PUBSUB,), name, (pep_config.meta_data(found.config),)))


async def _account_items(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    wanted = stanza.element[0].get("node")
    if not await _is_visible(engine, sender, target):  # like one who does not exist (XEP-0030, section 8)
        answer(sender, stanza, items_xml((), wanted))
        return
    nodes = (*pep.PROFILE_NODES, *await pep_nodes.visible(engine.ports, sender.account, target.bare))
    if not wanted:
        answer(sender, stanza, items_xml(Item(target.bare, node) for node in nodes))
    elif wanted in nodes:
        answer(sender, stanza, items_xml((), wanted))
    else:
        refuse(sender, stanza, "cancel", "item-not-found")


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.SERVER, "get", INFO_TAG): _server_info,
    (Scope.SERVER, "get", ITEMS_TAG): _server_items,
    (Scope.ACCOUNT, "get", INFO_TAG): _account_info,
    (Scope.ACCOUNT, "get", ITEMS_TAG): _account_items,
}
