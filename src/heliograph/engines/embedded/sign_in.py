"""The two questions that a stream asks: which credentials a username has, and which resource it may bind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from heliograph.core import limits
from heliograph.engines.embedded.connection import Connection
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.c2s_events import AuthenticationDone, BindWanted, StreamEvent
from heliograph.xmpp.jid import JidMalformed, prepare_resource
from heliograph.xmpp.sasl_mechanisms import CredentialsWanted, Known, Verifier
from heliograph.xmpp.session_end import session_ended
from heliograph.xmpp.stanza import quote
from heliograph.xmpp.stream import StreamError

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

log = structlog.get_logger("heliograph.xmpp")

_RESOURCE_BYTES = 9


class SignIn:
    """Answers a stream's questions from the stores."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self.connections: dict[str, set[Connection]] = {}

    async def look_up(self, connection: Connection, wanted: CredentialsWanted) -> list[StreamEvent]:
        """Fetch the verifiers of a username's live sessions."""
        connection.account = f"{wanted.username}@{wanted.host}"
        ports = self._engine.ports
        found = await ports.sessions.verifiers(connection.account)
        if found is None or found[0].is_expired(ports.clock.now()):
            return connection.stream.credentials(None)
        account, verifiers = found
        known = [
            Verifier(
                session_id,
                each.stored_sha1,
                each.server_sha1,
                each.stored_sha256,
                each.server_sha256,
                each.sha256,
            )
            for session_id, each in verifiers
        ]
        return connection.stream.credentials(Known(account.salt, account.iterations, known, account.is_blocked))

    def done(self, connection: Connection, event: AuthenticationDone) -> None:
        """A sign-in succeeded or failed."""
        if event.session_id is None:
            log.info("sign_in_failed", address=connection.address, condition=event.condition)
            return
        self.connections.setdefault(connection.account, set()).add(connection)

    async def bind(self, connection: Connection, wanted: BindWanted) -> list[StreamEvent]:
        """Bind a resource, if the session is still live; an older stream of that full JID gives way (RFC 6120,
        7.7.2.2).
        """
        stream = connection.stream
        ports = self._engine.ports
        live = await ports.sessions.lookup(stream.session_id)
        blocks = await self._blocks(connection.account)
        if connection.is_gone:
            return []
        if live is None or live[0].is_blocked:
            connection.end(session_ended("admin_blocked" if live else "logout"))
            return []
        try:
            name = prepare_resource(wanted.resource) if wanted.resource else ports.ids.random(_RESOURCE_BYTES).hex()
        except JidMalformed as error:
            return stream.refuse_bind("modify", "bad-request", str(error))
        bound = self._engine.router.resources(connection.account)
        if len(bound) >= limits.RESOURCES_PER_ACCOUNT_MAX:
            return stream.refuse_bind("wait", "resource-constraint", "Too many resources are bound")
        jid = f"{connection.account}/{name}"
        older = self._engine.router.full.get(jid)
        if older is not None:
            older.outlet.end(StreamError("conflict", "The resource was bound by another stream"))
        connection.resource = Resource(
            connection, jid, connection.account, stream.host, quote(jid).encode(), stream.session_id
        )
        self._engine.router.bind(connection.resource)
        self._engine.router.accounts[connection.account].blocks = blocks
        self._engine.established(connection)
        self._engine.touch(connection.resource)
        return stream.bound(jid)

    async def _blocks(self, account: str) -> frozenset[str]:
        """Whom an account blocks; read again, where a list changed meanwhile."""
        router = self._engine.router
        while True:
            changes = router.block_changes
            blocks = await self._engine.ports.blocks.blocked(account)
            if changes == router.block_changes:
                return blocks

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        group = self.connections.get(connection.account)
        if group is not None:
            group.discard(connection)
            if not group:
                del self.connections[connection.account]
