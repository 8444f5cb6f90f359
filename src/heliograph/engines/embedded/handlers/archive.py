"""What a user asks of the archive of messages (XEP-0313)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import archive
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, check_own
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.archive import (
    METADATA_TAG,
    PREFERENCES_TAG,
    QUERY_TAG,
    fin_xml,
    form_xml,
    is_default,
    metadata_xml,
    parse_query,
    preferences_xml,
    result,
)
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError, feature_not_implemented

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def _check(engine: EmbeddedEngine, sender: Resource, target: Jid) -> None:
    """An archive is there, and the sender's own."""
    if not engine.archiver.is_on:
        raise StanzaError("cancel", "service-unavailable")
    check_own(sender, target)


async def _query(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    _check(engine, sender, target)
    wanted = parse_query(stanza.element[0])
    page = await archive.query(engine.ports, sender.account_id, wanted)
    for message in page.messages:
        sender.outlet.send(
            result(
                sender.account,
                sender.jid,
                engine.next_id(),
                wanted.query_id,
                message.id,
                message.number,
                message.data,
            )
        )
    answer(sender, stanza, fin_xml(page.first, page.last, page.count, is_complete=page.is_complete))


def _form(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    _check(engine, sender, target)
    answer(sender, stanza, form_xml())


async def summary(engine: EmbeddedEngine, account_id: int) -> str:
    """With which messages an account's archive begins and ends (XEP-0313, section 5.2.1), as XML."""
    ends = await archive.ends(engine.ports, account_id)
    if ends is None:
        return metadata_xml(None)
    oldest, newest = ends
    return metadata_xml(((oldest.id, oldest.number), (newest.id, newest.number)))


async def _metadata(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    _check(engine, sender, target)
    answer(sender, stanza, await summary(engine, sender.account_id))


def _preferences(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    _check(engine, sender, target)
    if stanza.type == "set" and not is_default(stanza.element[0]):
        raise feature_not_implemented("All messages are archived, but for those whose sender says otherwise")
    answer(sender, stanza, preferences_xml())


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.ACCOUNT, "set", QUERY_TAG): _query,
    (Scope.ACCOUNT, "get", QUERY_TAG): _form,
    (Scope.ACCOUNT, "get", METADATA_TAG): _metadata,
    (Scope.ACCOUNT, "get", PREFERENCES_TAG): _preferences,
    (Scope.ACCOUNT, "set", PREFERENCES_TAG): _preferences,
}
