"""A client says what it knows of profiles already, and is told only what is newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.profile_news import SINCE_TAG, parse_since
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def _set(_engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    sender.since = parse_since(stanza.element[0])
    answer(sender, stanza)


HANDLERS: dict[tuple[Scope, str, str], Handler] = {(Scope.ACCOUNT, "set", SINCE_TAG): _set}
