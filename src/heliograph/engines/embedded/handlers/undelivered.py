"""Stanzas that a client did not take before its stream was over (XEP-0198, section 4): as if they had been sent to a
resource that is gone (RFC 6121, section 8.5.3.2), except that nobody gets a message twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.engines.embedded.handlers import offline
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.carbons import is_copied
from heliograph.xmpp.framing import as_document
from heliograph.xmpp.message import Verdict, message_type, to_account, to_missing_resource
from heliograph.xmpp.offline import may_wait
from heliograph.xmpp.stanza import Stanza, stanza_error
from heliograph.xmpp.stanza_error import StanzaError
from heliograph.xmpp.stream import Limits, parse_document

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_LIMITS = Limits(max_bytes=2**31, max_depth=2 * limits.STANZA_MAX_DEPTH, max_elements=2**31)
"""Of what this server wrote itself."""


def undelivered(engine: EmbeddedEngine, resource: Resource, stanzas: Sequence[bytes], lost_at: float) -> None:
    """Bring stanzas that a resource, now gone, has not acknowledged to others, keep them, or tell their senders.

    Args:
        engine: the server.
        resource: whose stream is over.
        stanzas: what it has not acknowledged, encoded for TCP.
        lost_at: when it was seen last, on the loop's clock: others that got copies then have got what they need.
    """
    kept = []
    for data in stanzas:
        if data.startswith(b"<presence"):
            continue
        stanza = parse_document(as_document(data), _LIMITS)
        if not isinstance(stanza, Stanza) or _is_taken(engine, resource, stanza, data, lost_at):
            continue
        if stanza.name == "message" and may_wait(stanza):
            kept.append(stanza)
        else:
            _refuse(engine, stanza)
    if kept:
        engine.spawn(_keep(engine, resource.account, kept))


async def _keep(engine: EmbeddedEngine, account: str, messages: Sequence[Stanza]) -> None:
    """Messages wait for the user's next device, in their order."""
    for message in messages:
        try:
            await offline.keep(engine, account, message.get("from") or account, message)
        except StanzaError:
            _refuse(engine, message)


def _refuse(engine: EmbeddedEngine, stanza: Stanza) -> None:
    sender = engine.router.full.get(stanza.get("from") or "")
    answer = None if sender is None else stanza_error(stanza, sender.jid, "cancel", "service-unavailable")
    if sender is not None and answer is not None:
        sender.outlet.send(answer)


def _is_taken(engine: EmbeddedEngine, resource: Resource, stanza: Stanza, data: bytes, lost_at: float) -> bool:
    """Whether a stanza needs no care: others have it, or get it now, or it is of no use to anybody else."""
    if stanza.name != "message":
        return False
    if stanza.get("from") == resource.account:  # copies and events, which the server made for this one device
        return True
    available = engine.router.available(resource.account)
    is_shared = stanza.to != resource.jid  # to a bare JID: the others have got it already
    decide = to_account if is_shared else to_missing_resource
    verdict, chosen = decide(message_type(stanza.type), [each.priority for each in available])
    if verdict is Verdict.DELIVER and not is_shared:
        others = [available[index] for index in chosen]
        for other in _without_copy(engine, resource.account, others, stanza, lost_at):
            other.outlet.send(data)
    return verdict is not Verdict.REFUSE


def _without_copy(
    engine: EmbeddedEngine, account: str, others: Sequence[Resource], stanza: Stanza, lost_at: float
) -> Sequence[Resource]:
    """Those that did not get a copy (XEP-0280) when the message came."""
    presence = engine.router.accounts.get(account)
    if presence is None or not is_copied(stanza):
        return others
    return [other for other in others if presence.carbons.get(other, lost_at) >= lost_at]
