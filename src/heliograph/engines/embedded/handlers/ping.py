"""Ping (XEP-0199), and the session request of older clients (RFC 3921, section 3), which asks for nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, refuse
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.stanza import NS_SESSION, Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

NS_PING = "urn:xmpp:ping"


def _answer_own(_engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    if target.local and target.bare != sender.account:
        refuse(sender, stanza, "cancel", "service-unavailable")
    else:
        answer(sender, stanza)


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.SERVER, "get", f"{{{NS_PING}}}ping"): _answer_own,
    (Scope.ACCOUNT, "get", f"{{{NS_PING}}}ping"): _answer_own,
    (Scope.SERVER, "set", f"{{{NS_SESSION}}}session"): _answer_own,
    (Scope.ACCOUNT, "set", f"{{{NS_SESSION}}}session"): _answer_own,
}
