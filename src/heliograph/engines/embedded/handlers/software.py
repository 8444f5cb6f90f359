"""What the server tells of itself and of accounts' last activity: version, time, last activity (XEP-0092, 0202, 0012).

Of its own resources an account is asked by their full JIDs, and answers itself.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from heliograph.core import last_seen
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.entity_time import TIME_TAG, time_xml
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.last_activity import LAST_TAG, last_xml
from heliograph.xmpp.software_version import VERSION_TAG, version_xml
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_VERSION = version_xml("Heliograph", version("heliograph"))


def _version(_engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    answer(sender, stanza, _VERSION)


def _time(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    answer(sender, stanza, time_xml(engine.ports.clock.now()))


def _uptime(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    answer(sender, stanza, last_xml(engine.ports.clock.now() - engine.started_at))


async def _last(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    seen = await last_seen.get(engine.ports, sender.account, target.bare)
    answer(sender, stanza, last_xml(seen.seconds, seen.status))


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.SERVER, "get", VERSION_TAG): _version,
    (Scope.SERVER, "get", TIME_TAG): _time,
    (Scope.SERVER, "get", LAST_TAG): _uptime,
    (Scope.ACCOUNT, "get", LAST_TAG): _last,
}
