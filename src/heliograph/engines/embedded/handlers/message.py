"""Messages: one-to-one routing (RFC 6121, section 8.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliograph.engines.embedded.handlers.addressing import check_blocking, refuse, same_host
from heliograph.engines.embedded.handlers.carbons import copy
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.message import Verdict, message_type, to_account, to_missing_resource
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def handle_message(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> None:
    """Deliver a message, or answer with an error."""
    to = stanza.element.attrib.get("to", sender.account)
    receiver = engine.router.full.get(to)
    if receiver is not None and receiver.host == sender.host:
        check_blocking(engine, sender, receiver.account, receiver.jid)
        _pass_on(engine, sender, stanza, stanza.encode(sender.jid), [receiver])
        return
    target = same_host(sender, stanza, to)
    if target is not None:
        _deliver(engine, sender, stanza, target)


def _pass_on(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, data: bytes, receivers: Sequence[Resource]
) -> None:
    for receiver in receivers:
        receiver.outlet.send(data)
    copy(engine, sender, receivers[0].account, stanza, data, receivers)


def _deliver(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    full = str(target)
    check_blocking(engine, sender, target.bare, full)
    receiver = engine.router.full.get(full)
    if receiver is not None:
        _pass_on(engine, sender, stanza, stanza.encode(sender.jid, full), [receiver])
        return
    available = engine.router.available(target.bare)
    decide = to_missing_resource if target.resource else to_account
    verdict, chosen = decide(message_type(stanza.type), [resource.priority for resource in available])
    if verdict is Verdict.DELIVER:
        _pass_on(engine, sender, stanza, stanza.encode(sender.jid, full), [available[index] for index in chosen])
    elif verdict is Verdict.REFUSE:
        refuse(sender, stanza, "cancel", "service-unavailable")
