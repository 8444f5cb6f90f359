"""Service discovery of the server and of accounts (XEP-0030; XEP-0163, section 6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core.blocking import are_apart
from heliograph.core.profiles import Viewer, viewer_of
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, refuse
from heliograph.engines.embedded.handlers.ping import NS_PING
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import pep, vcard
from heliograph.xmpp.blocking import NS_BLOCKING
from heliograph.xmpp.disco import (
    INFO_TAG,
    ITEMS_TAG,
    NS_DISCO_INFO,
    NS_DISCO_ITEMS,
    Identity,
    Item,
    info_xml,
    items_xml,
)
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_SERVER = (Identity("server", "im", "Heliograph"),)
_SERVER_FEATURES = (NS_DISCO_INFO, NS_DISCO_ITEMS, NS_PING, NS_BLOCKING, vcard.NS_VCARD_TEMP)
_ACCOUNT = (Identity("account", "registered"), Identity("pubsub", "pep"))
_ACCOUNT_FEATURES = (NS_DISCO_INFO, NS_DISCO_ITEMS, pep.NS_PUBSUB, *pep.FEATURES, vcard.NS_VCARD_TEMP)


def _server_info(_engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    if stanza.element[0].get("node"):
        refuse(sender, stanza, "cancel", "item-not-found")
    else:
        answer(sender, stanza, info_xml(_SERVER, _SERVER_FEATURES))


def _server_items(_engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
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
        answer(sender, stanza, info_xml(_ACCOUNT, _ACCOUNT_FEATURES))
    elif node in pep.SERVED_NODES:
        answer(sender, stanza, info_xml((Identity("pubsub", "leaf"),), (pep.NS_PUBSUB,), node))
    else:
        refuse(sender, stanza, "cancel", "item-not-found")


async def _account_items(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    if await _is_visible(engine, sender, target):
        answer(sender, stanza, items_xml(Item(target.bare, node) for node in pep.SERVED_NODES))
    else:
        refuse(sender, stanza, "cancel", "service-unavailable")


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.SERVER, "get", INFO_TAG): _server_info,
    (Scope.SERVER, "get", ITEMS_TAG): _server_items,
    (Scope.ACCOUNT, "get", INFO_TAG): _account_info,
    (Scope.ACCOUNT, "get", ITEMS_TAG): _account_items,
}
