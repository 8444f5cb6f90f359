"""Info/query stanzas: which handler answers, and the rules that hold for all (RFC 6120, sections 8.2.3 and 10.3)."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING

from heliograph.core.blocking import blocks
from heliograph.engines.embedded.handlers import (
    archive,
    blocking,
    capabilities,
    carbons,
    disco,
    pep,
    ping,
    private_storage,
    profile_news,
    roster,
    software,
    vcard,
)
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, check_blocking, refuse, same_host
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.blocking import sender_blocked
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_HANDLERS: Mapping[tuple[Scope, str, str], Handler] = {
    key: handler
    for module in (archive, blocking, carbons, disco, pep, ping, private_storage, profile_news, roster, software, vcard)
    for key, handler in module.HANDLERS.items()
}
_ANSWERS = ("result", "error")


def handle_iq(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> Coroutine[None, None, None] | None:
    """Answer a request, or pass it on to the one resource that it is for."""
    kind = stanza.type
    if stanza.id is None or kind not in ("get", "set", *_ANSWERS):
        refuse(sender, stanza, "modify", "bad-request", "An IQ has an id, and a type of get, set, result or error")
        return None
    if kind not in _ANSWERS and len(stanza.element) != 1:
        refuse(sender, stanza, "modify", "bad-request", "A request has exactly one child")
        return None
    target = same_host(sender, stanza, sender.account if stanza.to is None else stanza.to)
    if target is None:
        return None
    check_blocking(engine, sender, target.bare, str(target))
    if target.resource:
        _pass_on(engine, sender, stanza, target)
        return None
    if kind in _ANSWERS:
        return capabilities.answered(engine, sender, stanza)
    return _ask(engine, sender, stanza, target)


def _ask(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> Coroutine[None, None, None] | None:
    """A request to the server or to an account, which the server answers for it."""
    payload = stanza.element[0]
    scope = Scope.ACCOUNT if target.local else Scope.SERVER
    kind = (scope, stanza.type or "", payload.tag)
    handler = _HANDLERS.get(kind)
    if handler is None:
        refuse(sender, stanza, "cancel", "service-unavailable")
        return None
    if stanza.type == "set" and target.local and target.bare != sender.account and kind not in pep.OF_OTHERS:
        refuse(sender, stanza, "auth", "forbidden")
        return None
    is_known = engine.hears_all and target.bare in engine.router.accounts
    if target.local and target.bare != sender.account and not is_known:
        return _ask_looked_up(engine, sender, stanza, target, handler)
    return handler(engine, sender, stanza, target)


async def _ask_looked_up(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, handler: Handler
) -> None:
    """A request to an account whose block list has to be read first, such as one that is not connected."""
    if await blocks(engine.ports, target.bare, sender.jid):
        raise sender_blocked()
    work = handler(engine, sender, stanza, target)
    if work is not None:
        await work


def _pass_on(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    receiver = engine.router.full.get(str(target))
    if receiver is None:
        refuse(sender, stanza, "cancel", "service-unavailable")
    else:
        receiver.outlet.send(stanza.encode(sender.jid, receiver.jid, sender.lang))
