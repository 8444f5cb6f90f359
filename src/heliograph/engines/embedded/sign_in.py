"""The questions that a stream asks: what is known of a client, and which resource it may bind."""

from __future__ import annotations

import hmac
from collections.abc import Coroutine
from typing import TYPE_CHECKING

import structlog

from heliograph.core import fast_tokens, limits, rate_limits, tokens
from heliograph.core.sessions import EndReason
from heliograph.core.sign_ins import SignedIn
from heliograph.engines.embedded.connection import Connection
from heliograph.engines.embedded.router import Resource
from heliograph.errors import RateLimited
from heliograph.xmpp.c2s_events import AuthenticationDone, BindWanted, StreamEvent
from heliograph.xmpp.jid import JidMalformed, prepare_resource
from heliograph.xmpp.sasl_claims import (
    Bearer,
    BearerWanted,
    CredentialsWanted,
    Known,
    Question,
    Token,
    Tokens,
    TokensWanted,
    Verifier,
)
from heliograph.xmpp.session_end import session_ended
from heliograph.xmpp.stable_ids import mark
from heliograph.xmpp.stanza import quote
from heliograph.xmpp.stream import StreamError

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

log = structlog.get_logger("heliograph.xmpp")

_RESOURCE_BYTES = 9
_NOBODY: frozenset[str] = frozenset()


class SignIn:
    """Answers a stream's questions from the stores."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self.connections: dict[str, set[Connection]] = {}
        self.ended = 0
        """How often sessions or accounts have ended, so that what was known before is looked up again."""

    async def look_up(self, connection: Connection, wanted: Question) -> list[StreamEvent]:
        """Fetch what is known of a client: of its username, of the token that it shows, or of those that it has."""
        connection.known = None
        match wanted:
            case CredentialsWanted():
                connection.account = f"{wanted.username}@{wanted.host}"
                return connection.stream.credentials(await self._known(connection))
            case BearerWanted():
                return connection.stream.credentials(await self._bearer(connection, wanted))
            case TokensWanted():
                connection.account = f"{wanted.username}@{wanted.host}"
                return connection.stream.credentials(await self._tokens(connection.account, wanted))

    async def _known(self, connection: Connection) -> Known | None:
        """The verifiers of a user's live sessions. What is known of the account comes along, so that it need not be
        looked up again once it is clear that this is the user.
        """
        ports, changes = self._engine.ports, self._changes
        found = await ports.sign_ins.by_password(connection.account)
        if found is None or found.is_expired(ports.clock.now()):
            return None
        if not found.has_blocks:
            connection.known = changes, SignedIn(found.account_id, found.is_blocked, _NOBODY)
        return Known(found.salt, found.iterations, [Verifier(*each) for each in found.verifiers], found.is_blocked)

    async def _bearer(self, connection: Connection, wanted: BearerWanted) -> Bearer | None:
        """Whose access token it is."""
        ports = self._engine.ports
        found = await tokens.holder(ports, wanted.token, wanted.host)
        if found is None:
            return None
        account, session, record = found
        connection.account = account.jid
        return Bearer(account.identifier, session.id, record.expires_at <= ports.clock.now())

    async def _tokens(self, account_jid: str, wanted: TokensWanted) -> Tokens | None:
        """The tokens of a client for a mechanism (XEP-0484)."""
        ports = self._engine.ports
        found = await fast_tokens.held(ports, account_jid, wanted.client)
        if found is None:
            return None
        now, secret = ports.clock.now(), self._engine.secret
        held = [
            Token(
                session_id,
                fast_tokens.text(secret, session_id, wanted.client, each),
                each.salt.hex(),
                each.expires_at <= now,
            )
            for session_id, slots in found[1]
            for each in slots.tokens
            if each.mechanism == wanted.mechanism
        ]
        return Tokens(held)

    def done(self, connection: Connection, event: AuthenticationDone) -> Coroutine[None, None, None] | None:
        """A sign-in succeeded or failed; a coroutine comes back where that has to be counted."""
        if event.session_id is None:
            log.info("sign_in_failed", address=connection.address, condition=event.condition)
            self.forget(connection)
            return self._count_failure(connection) if event.condition == "not-authorized" else None
        self.connections.setdefault(connection.account, set()).add(connection)
        return None

    async def _count_failure(self, connection: Connection) -> None:
        """Count a wrong password or token of an address, and of an account from there, as the HTTP side does; too many
        end the stream. The right password is taken all the same, so that nobody can lock a user out.
        """
        ports = self._engine.ports
        try:
            await rate_limits.check(ports, *rate_limits.for_failed_sign_in(connection.account, connection.address))
        except RateLimited:
            log.info("too_many_failed_sign_ins", address=connection.address)
            connection.end(StreamError("policy-violation", "Too many sign-ins failed"))

    async def bind(self, connection: Connection, wanted: BindWanted) -> list[StreamEvent]:
        """Bind a resource, if the session is still live; an older stream of that full JID gives way (RFC 6120,
        7.7.2.2).
        """
        stream = connection.stream
        blocks = await self.check_live(connection)
        if blocks is None:
            return []
        try:
            name = prepare_resource(wanted.resource) if wanted.resource else self.resource_name(None)
        except JidMalformed as error:
            return stream.refuse_bind("modify", "bad-request", str(error))
        jid = self.place(connection, name, blocks)
        if jid is None:
            return stream.refuse_bind("wait", "resource-constraint", "Too many resources are bound")
        return stream.bound(jid)

    async def check_live(self, connection: Connection) -> frozenset[str] | None:
        """Whom the account blocks, if the session of a connection that has signed in is still live; else the stream is
        over, and `None` comes back.
        """
        live = await self._signed_in(connection)
        if connection.is_gone:
            return None
        if live is None or live.is_blocked:
            connection.end(session_ended("admin_blocked" if live else "logout"))
            return None
        connection.account_id = live.account_id
        return live.blocks

    def resource_name(self, seed: str | None) -> str:
        """A name that the server makes: always the same one for a seed, which it does not show."""
        if seed is None:
            return self._engine.ports.ids.random(_RESOURCE_BYTES).hex()
        return hmac.digest(self._engine.secret, f"resource\0{seed}".encode(), "sha256")[:_RESOURCE_BYTES].hex()

    def place(self, connection: Connection, name: str, blocks: frozenset[str], client: str | None = None) -> str | None:
        """Bind a connection to a resource; its full JID, or `None` where the account has too many.

        An older stream of that full JID gives way, and an older one of the same client (XEP-0386, section 3.2).

        Args:
            connection: has signed in.
            name: the resource, prepared.
            blocks: whom the account blocks.
            client: the id of the client's installation, if it told one.
        """
        router = self._engine.router
        jid = f"{connection.account}/{name}"
        bound = router.resources(connection.account)
        older = [each for each in bound if each.jid == jid or (client is not None and each.client == client)]
        if len(bound) - len(older) >= limits.RESOURCES_PER_ACCOUNT_MAX:
            return None
        for each in older:
            each.outlet.end(StreamError("conflict", "The resource was bound by another stream"))
        stream = connection.stream
        connection.resource = Resource(
            connection,
            jid,
            connection.account,
            connection.account_id,
            mark(connection.account),
            stream.host,
            quote(jid).encode(),
            stream.session_id,
            client,
            stream.lang,
        )
        router.bind(connection.resource)
        router.accounts[connection.account].blocks = blocks
        self._engine.established(connection)
        self._engine.touch(connection.resource)
        return jid

    @property
    def _changes(self) -> int:
        """Grows whenever a session or an account has ended, or a block list has changed: each is told after its commit,
        and whoever has signed in by then is in `connections`.
        """
        return self.ended + self._engine.router.block_changes

    async def _signed_in(self, connection: Connection) -> SignedIn | None:
        """The account of a session, if that is live, and whom it blocks: as it was known before if nothing has changed
        since then; and read again, where something changes meanwhile.
        """
        known, connection.known = connection.known, None
        if known is not None and known[0] == self._changes:
            return known[1]
        while True:
            changes = self._changes
            found = await self._engine.ports.sign_ins.signed_in(connection.stream.session_id)
            if changes == self._changes:
                return found

    def end(self, jid: str, reason: EndReason, session_id: str | None = None) -> None:
        """An account's sessions have ended, or one of them: so do their connections."""
        self.ended += 1
        for connection in list(self.connections.get(jid, ())):
            if session_id is None or connection.stream.session_id == session_id:
                connection.end(session_ended(reason))

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        group = self.connections.get(connection.account)
        if group is not None:
            group.discard(connection)
            if not group:
                del self.connections[connection.account]
