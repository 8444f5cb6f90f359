"""Messages that wait for a user who is not there (XEP-0160), durably, and come once when the user is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.core.blocking import blocks
from heliograph.core.user_jids import domain_of
from heliograph.engines.embedded.router import Resource
from heliograph.errors import AccountNotFound
from heliograph.xmpp.blocking import sender_blocked
from heliograph.xmpp.delay import stamped
from heliograph.xmpp.stable_ids import mark, with_stanza_id
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


async def keep(
    engine: EmbeddedEngine,
    account: str,
    sender: str,
    message: Stanza,
    archive_id: str | None = None,
    lang: str | None = None,
) -> None:
    """Keep a message for an account; it is stored when this returns.

    Args:
        engine: the server.
        account: the bare JID that the message is for.
        sender: its true sender's full JID.
        message: the message.
        archive_id: what it is called in the account's archive, if it will be there (XEP-0359): a client that has
            fetched the archive knows by it what it has.
        lang: the language of the sender's stream.

    Raises:
        StanzaError: there is no such account, it blocks the sender, or as many wait for it as may.
    """
    ports = engine.ports
    if await blocks(ports, account, sender):
        raise sender_blocked()
    now = ports.clock.now()
    data = stamped(message, sender, account, domain_of(account), now, lang)
    if archive_id is not None:
        data = with_stanza_id(data, mark(account), archive_id)
    try:
        is_kept = await ports.offline.add(account, data, now, limits.OFFLINE_MESSAGES_MAX)
    except AccountNotFound:
        is_kept = False
    if not is_kept:
        raise StanzaError("cancel", "service-unavailable")
    receiver = next((each for each in engine.router.available(account) if each.priority >= 0), None)
    if receiver is not None:  # the user came while the message was stored
        await deliver(engine, receiver)


async def deliver(engine: EmbeddedEngine, receiver: Resource) -> None:
    """Bring what waits to a resource that has said it takes messages (RFC 6121, section 4.2.1)."""
    ports = engine.ports
    now = ports.clock.now()
    for message in await ports.offline.take(receiver.account, now - limits.OFFLINE_TTL_S):
        if receiver.is_available:
            receiver.outlet.send(message)
        else:  # it has gone meanwhile
            await ports.offline.add(receiver.account, message, now, limits.OFFLINE_MESSAGES_MAX)
