"""What a client keeps for its user alone (XEP-0049), in the user's own nodes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

from heliograph.core import pep_nodes as rules
from heliograph.core.pep_nodes import Item
from heliograph.engines.embedded.handlers import pep_nodes
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, check_own
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import pep
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.private_storage import OPTIONS, QUERY_TAG, parse, result_xml
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


async def _get(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    check_own(sender, target)
    node, wanted = parse(stanza.element[0])
    items = await engine.ports.pep.items(sender.account, node)
    kept = fromstring(items[-1].payload) if items else None  # noqa: S314 - written by the server itself
    answer(sender, stanza, result_xml(wanted, kept))


async def _set(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    node, payload = parse(stanza.element[0])
    item = Item(pep.CURRENT_ITEM, pep_nodes.as_payload(payload))
    decide = partial(rules.decide_publish, item=item, options=OPTIONS)
    outcome = await engine.ports.pep.change(sender.account, node, decide)
    answer(sender, stanza)
    if outcome.config is not None:
        await pep_nodes.tell_item(engine, sender.account, node, outcome.config, item)


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.ACCOUNT, "get", QUERY_TAG): _get,
    (Scope.ACCOUNT, "set", QUERY_TAG): _set,
}
