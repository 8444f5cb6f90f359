"""Stanzas that a client did not take before its stream was over (XEP-0198, section 4): as if they had been sent to a
resource that is gone (RFC 6121, section 8.5.3.2), except that nobody gets a message twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.framing import as_document
from heliograph.xmpp.message import Verdict, message_type, to_account, to_missing_resource
from heliograph.xmpp.stanza import Stanza, stanza_error
from heliograph.xmpp.stream import Limits, parse_document

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_LIMITS = Limits(max_bytes=2**31, max_depth=2 * limits.STANZA_MAX_DEPTH, max_elements=2**31)
"""Of what this server wrote itself."""


def undelivered(engine: EmbeddedEngine, resource: Resource, stanzas: Sequence[bytes]) -> None:
    """Bring stanzas that a resource, now gone, has not acknowledged to others, or tell their senders."""
    for data in stanzas:
        if data.startswith(b"<presence"):
            continue
        stanza = parse_document(as_document(data), _LIMITS)
        if isinstance(stanza, Stanza):
            _return(engine, resource, stanza, data)


def _return(engine: EmbeddedEngine, resource: Resource, stanza: Stanza, data: bytes) -> None:
    verdict = Verdict.REFUSE
    if stanza.name == "message":
        available = engine.router.available(resource.account)
        is_shared = stanza.to != resource.jid  # to a bare JID: the others have got it already
        decide = to_account if is_shared else to_missing_resource
        verdict, chosen = decide(message_type(stanza.type), [each.priority for each in available])
        if verdict is Verdict.DELIVER and not is_shared:
            for index in chosen:
                available[index].outlet.send(data)
    sender = engine.router.full.get(stanza.get("from") or "")
    if verdict is Verdict.REFUSE and sender is not None:
        answer = stanza_error(stanza, sender.jid, "cancel", "service-unavailable")
        if answer is not None:
            sender.outlet.send(answer)
