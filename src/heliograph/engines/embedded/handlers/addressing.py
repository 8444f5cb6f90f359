"""Whom a stanza is for, and how its sender is answered (RFC 6120, sections 8.1.1 and 10)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import Enum
from typing import TYPE_CHECKING

from heliograph.core.profile_history import Author, Editor, Path
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.blocking import receiver_blocked, sender_blocked
from heliograph.xmpp.jid import Jid, JidMalformed, parse
from heliograph.xmpp.stanza import Stanza, iq_result, stanza_error
from heliograph.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


class Scope(Enum):
    """Who is asked: the server itself, or an account, for which the server answers."""

    SERVER = "server"
    ACCOUNT = "account"
    __hash__ = object.__hash__  # by identity, which is faster


Handler = Callable[["EmbeddedEngine", Resource, Stanza, Jid], "Coroutine[None, None, None] | None"]


def editor(sender: Resource) -> Editor:
    """Who changes a profile by a stanza."""
    return Editor(Author.USER, Path.XMPP, sender.session_id)


def answer(sender: Resource, stanza: Stanza, payload: str = "") -> None:
    """Answer a request with a result."""
    sender.outlet.send(iq_result(stanza, sender.jid, payload))


def refuse(sender: Resource, stanza: Stanza, kind: str, condition: str, text: str | None = None) -> None:
    """Answer with a stanza error, where one may be sent."""
    error = stanza_error(stanza, sender.jid, kind, condition, text)
    if error is not None:
        sender.outlet.send(error)


def check_own(sender: Resource, target: Jid) -> None:
    """What an account keeps for its user is shown to nobody else; that nobody else changes it is checked for all.

    Raises:
        StanzaError: the sender asks another account.
    """
    if target.bare != sender.account:
        raise StanzaError("auth", "forbidden")


def check_blocking(engine: EmbeddedEngine, sender: Resource, account: str, receiver: str) -> None:
    """Let nothing pass between two accounts of which one blocks the other (XEP-0191, section 3.3.4).

    Args:
        engine: the server; of an account that is not connected it knows no list.
        sender: who sends.
        account: the bare JID of the receiver.
        receiver: its full or bare JID.

    Raises:
        StanzaError: one of them blocks the other; the error says which way.
    """
    if account == sender.account or "@" not in account:
        return
    if engine.router.blocks(sender.account, receiver):
        raise receiver_blocked()
    if engine.router.blocks(account, sender.jid):
        raise sender_blocked()


def same_host(sender: Resource, stanza: Stanza, to: str) -> Jid | None:
    """The prepared address, if it lies in the sender's own domain; otherwise the sender is refused.

    Domains of other apps, and the live and sandbox domains of one app, are as far away as any other server.
    """
    try:
        target = parse(to)
    except JidMalformed as error:
        refuse(sender, stanza, "modify", "jid-malformed", str(error))
        return None
    if target.domain != sender.host:
        refuse(sender, stanza, "cancel", "remote-server-not-found")
        return None
    return target
