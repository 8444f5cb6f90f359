"""Messages: one-to-one routing (RFC 6121, section 8.5)."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING

from heliograph.engines.embedded.handlers import offline
from heliograph.engines.embedded.handlers.addressing import check_blocking, refuse, same_host
from heliograph.engines.embedded.handlers.carbons import copy
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import delay, stable_ids
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.message import Verdict, message_type, to_account, to_missing_resource
from heliograph.xmpp.offline import may_wait
from heliograph.xmpp.stable_ids import with_stanza_id
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def handle_message(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> Coroutine[None, None, None] | None:
    """Deliver a message, keep it, or answer with an error; a coroutine comes back where that needs I/O."""
    to = stanza.element.attrib.get("to", sender.account)
    stanza = delay.without_forged(stable_ids.without_forged(stanza, sender.host), sender.host)
    receiver = engine.router.full.get(to)
    if receiver is not None and receiver.host == sender.host:
        check_blocking(engine, sender, receiver.account, receiver.jid)
        return _pass_on(engine, sender, stanza, receiver.jid, [receiver])
    target = same_host(sender, stanza, to)
    return None if target is None else _deliver(engine, sender, stanza, target)


def _pass_on(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, to: str, receivers: Sequence[Resource]
) -> Coroutine[None, None, None] | None:
    """Send a message to those resources of one account, and archive it; with too many on their way to the disk, its
    sender waits.
    """
    data = stanza.encode(sender.jid, to, sender.lang)
    account = receivers[0].account
    archiver = engine.archiver
    if not archiver.takes(stanza):
        for receiver in receivers:
            receiver.outlet.send(data)
        copy(engine, sender, account, stanza, data, receivers)
        return None
    entry = archiver.entry(sender, to, receivers[0].account_id, data)
    identity = entry.id
    marked = with_stanza_id(data, receivers[0].mark, identity)
    for receiver in receivers:
        receiver.outlet.send(marked)
    copy(engine, sender, account, stanza, data, receivers, identity)
    return None if archiver.add(entry, sender) else archiver.settle()


def _deliver(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid
) -> Coroutine[None, None, None] | None:
    full = str(target)
    check_blocking(engine, sender, target.bare, full)
    receiver = engine.router.full.get(full)
    if receiver is not None:
        return _pass_on(engine, sender, stanza, full, [receiver])
    available = engine.router.available(target.bare)
    decide = to_missing_resource if target.resource else to_account
    verdict, chosen = decide(message_type(stanza.type), [resource.priority for resource in available])
    if verdict is Verdict.DELIVER:
        return _pass_on(engine, sender, stanza, full, [available[index] for index in chosen])
    if verdict is Verdict.REFUSE:
        is_for_account = not target.resource or message_type(stanza.type) == "chat"
        if target.local and is_for_account and may_wait(stanza):
            return _keep(engine, sender, stanza, target.bare)
        refuse(sender, stanza, "cancel", "service-unavailable")
    return None


async def _keep(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, account: str) -> None:
    """Keep a message for a user who is not there; its sender's other devices see it like any other."""
    receiver = await engine.ports.accounts.lookup(account)
    if receiver is None:
        raise StanzaError("cancel", "service-unavailable")
    data = stanza.encode(sender.jid, account, sender.lang)
    if not engine.archiver.takes(stanza):
        await offline.keep(engine, account, sender.jid, stanza, lang=sender.lang)
        copy(engine, sender, account, stanza, data, ())
        return
    entry = engine.archiver.entry(sender, account, receiver.id, data)
    await offline.keep(engine, account, sender.jid, stanza, entry.id, sender.lang)
    copy(engine, sender, account, stanza, data, (), entry.id)
    engine.archiver.add(entry, sender)
    await engine.archiver.settle()
