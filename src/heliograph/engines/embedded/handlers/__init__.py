"""What the server does with a stanza, a file a feature."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING

from heliograph.engines.embedded.handlers.iq import handle_iq
from heliograph.engines.embedded.handlers.message import handle_message
from heliograph.engines.embedded.handlers.presence import handle_presence
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import client_state, stream_management
from heliograph.xmpp.roster import NS_PRE_APPROVAL, NS_ROSTER_VERSIONING
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

STREAM_FEATURES = (
    f"<sub xmlns='{NS_PRE_APPROVAL}'/><ver xmlns='{NS_ROSTER_VERSIONING}'/>"
    f"{stream_management.FEATURE}{client_state.FEATURE}"
)
"""What is offered once a client has signed in, beside binding (RFC 6121, sections 2.6 and 3.4; XEP-0198; XEP-0352)."""


def dispatch(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> Coroutine[None, None, None] | None:
    """Handle one stanza; a coroutine comes back where that needs I/O.

    Raises:
        StanzaError, HeliographError: what the sender is to be told.
    """
    if stanza.name == "message":
        return handle_message(engine, sender, stanza)
    if stanza.name == "presence":
        return handle_presence(engine, sender, stanza)
    return handle_iq(engine, sender, stanza)
