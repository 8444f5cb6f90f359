"""Messages: one-to-one routing (RFC 6121, section 8.5)."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING

from heliograph.engines.embedded.handlers import offline
from heliograph.engines.embedded.handlers.addressing import check_blocking, refuse, same_host
from heliograph.engines.embedded.handlers.carbons import copy
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.message import Verdict, message_type, to_account, to_missing_resource
from heliograph.xmpp.offline import may_wait
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def handle_message(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> Coroutine[None, None, None] | None:
    """Deliver a message, keep it, or answer with an error; a coroutine comes back where it is kept."""
    to = stanza.element.attrib.get("to", sender.account)
    receiver = engine.router.full.get(to)
    if receiver is not None and receiver.host == sender.host:
        check_blocking(engine, sender, receiver.account, receiver.jid)
        _pass_on(engine, sender, stanza, stanza.encode(sender.jid), [receiver])
        return None
    target = same_host(sender, stanza, to)
    return None if target is None else _deliver(engine, sender, stanza, target)


def _pass_on(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, data: bytes, receivers: Sequence[Resource]
) -> None:
    for receiver in receivers:
        receiver.outlet.send(data)
    copy(engine, sender, receivers[0].account, stanza, data, receivers)


def _deliver(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid
) -> Coroutine[None, None, None] | None:
    full = str(target)
    check_blocking(engine, sender, target.bare, full)
    receiver = engine.router.full.get(full)
    if receiver is not None:
        _pass_on(engine, sender, stanza, stanza.encode(sender.jid, full), [receiver])
        return None
    available = engine.router.available(target.bare)
    decide = to_missing_resource if target.resource else to_account
    verdict, chosen = decide(message_type(stanza.type), [resource.priority for resource in available])
    if verdict is Verdict.DELIVER:
        _pass_on(engine, sender, stanza, stanza.encode(sender.jid, full), [available[index] for index in chosen])
    elif verdict is Verdict.REFUSE:
        is_for_account = not target.resource or message_type(stanza.type) == "chat"
        if target.local and is_for_account and may_wait(stanza):
            return _keep(engine, sender, stanza, target.bare)
        refuse(sender, stanza, "cancel", "service-unavailable")
    return None


async def _keep(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, account: str) -> None:
    """Keep a message for a user who is not there; its sender's other devices see it like any other."""
    await offline.keep(engine, account, sender.jid, stanza)
    copy(engine, sender, account, stanza, stanza.encode(sender.jid, account), ())
