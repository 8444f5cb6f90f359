"""Copies of messages for the user's other devices (XEP-0280)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.carbons import DISABLE_TAG, ENABLE_TAG, Direction, carbon, is_copied
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.stable_ids import with_stanza_id
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def copy(
    engine: EmbeddedEngine,
    sender: Resource,
    account: str,
    stanza: Stanza,
    data: bytes,
    receivers: Collection[Resource],
    archive_id: str | None = None,
) -> None:
    """Tell the other devices of both sides of a message that was passed on.

    Args:
        engine: the server.
        sender: who sent it.
        account: the bare JID of the receiver.
        stanza: the message.
        data: the message as it was passed on.
        receivers: who got it; nobody gets it twice.
        archive_id: its id in the archives of both sides, if it stands there.
    """
    accounts = engine.router.accounts
    theirs, own = accounts.get(account), accounts.get(sender.account)
    if not (theirs and theirs.carbons) and not (own and own.carbons):
        return
    if not is_copied(stanza):
        return
    done = {sender, *receivers}
    for presence, name, direction in ((own, sender.account, Direction.SENT), (theirs, account, Direction.RECEIVED)):
        for resource in tuple(presence.carbons) if presence else ():
            if resource not in done:
                done.add(resource)
                marked = data if archive_id is None else with_stanza_id(data, resource.mark, archive_id)
                resource.outlet.send(carbon(direction, name, resource.to, stanza, marked))


def get_carbons(engine: EmbeddedEngine, resource: Resource) -> None:
    """Let a resource have copies from now on."""
    engine.router.accounts[resource.account].carbons.setdefault(resource, asyncio.get_running_loop().time())


def _enable(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    get_carbons(engine, sender)
    answer(sender, stanza)


def _disable(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    engine.router.accounts[sender.account].carbons.pop(sender, None)
    answer(sender, stanza)


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.ACCOUNT, "set", ENABLE_TAG): _enable,
    (Scope.ACCOUNT, "set", DISABLE_TAG): _disable,
}
