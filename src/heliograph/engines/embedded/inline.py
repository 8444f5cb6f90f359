"""What a client asks for along with signing in (XEP-0388): to go on with a stream (XEP-0198), to be bound with all that
its session begins with (XEP-0386), and a token for next time (XEP-0484).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import fast_tokens
from heliograph.core.fast_tokens import FastToken, Wish
from heliograph.engines.embedded.client_state import become_inactive
from heliograph.engines.embedded.handlers.archive import summary
from heliograph.engines.embedded.handlers.carbons import get_carbons
from heliograph.engines.embedded.managed import NOTHING_TO_RESUME
from heliograph.errors import TokenExpired, TokenRevoked
from heliograph.xmpp import bind2, fast
from heliograph.xmpp.bind2 import BindRequest
from heliograph.xmpp.c2s_events import AdmissionWanted, StreamEvent
from heliograph.xmpp.fast import TokenUse
from heliograph.xmpp.jid import JidMalformed, prepare_resource
from heliograph.xmpp.sasl2 import Authenticate

if TYPE_CHECKING:
    from heliograph.engines.embedded.connection import Connection
    from heliograph.engines.embedded.engine import EmbeddedEngine


class InlineSignIn:
    """Lets clients in that have shown who they are, with all that they ask for in one request."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine

    async def admit(self, connection: Connection, wanted: AdmissionWanted) -> list[StreamEvent]:
        """Do what a client asks for, and tell the stream machine; nothing of it happens where the sign-in fails."""
        stream = connection.stream
        try:
            results = await self._exchange(connection, wanted)
        except TokenExpired:
            return stream.turn_away("credentials-expired")
        except TokenRevoked:
            return stream.turn_away("not-authorized")
        request = wanted.request
        if request.resume is not None:
            await self._engine.archiver.settle()  # the answer says what was handled
        archive = "" if wanted.request.bind is None else await self._archive(connection)
        blocks = await self._engine.sign_in.check_live(connection)
        if blocks is None:
            return []
        if request.resume is not None:
            managed = self._engine.managed.find(connection, request.resume)
            if managed is not None:
                jid, told = managed.resource.jid, results
                return self._engine.managed.go_on(
                    connection, managed, request.resume, lambda answer: stream.admitted(jid, told + answer.decode())
                )
            results += NOTHING_TO_RESUME.decode()
        if request.bind is None:
            return stream.admitted(None, results)
        return self._bind(connection, request, request.bind, (results, archive), blocks)

    # ----------------------------------------------------------------------------------------------- tokens (XEP-0484)

    async def _exchange(self, connection: Connection, wanted: AdmissionWanted) -> str:
        """Note the use of a token, and make the next; XML of that, or `""`.

        Raises:
            TokenExpired, TokenRevoked: the token signs nobody in after all.
        """
        request = wanted.request
        if request.client is None:  # tokens are for one installation
            return ""
        wish = _wish(wanted, connection.stream.offers_token_for(request.token_for))
        if wish == Wish():
            return ""
        token = await fast_tokens.sign_in(self._engine.ports, connection.stream.session_id, request.client, wish)
        return "" if token is None else self._token(connection, request.client, token)

    def _token(self, connection: Connection, client: str, token: FastToken) -> str:
        text = fast_tokens.text(self._engine.secret, connection.stream.session_id, client, token)
        return fast.token(text, fast_tokens.expiry(token))

    # ---------------------------------------------------------------------------------------------- binding (XEP-0386)

    async def _archive(self, connection: Connection) -> str:
        """What the client may have missed (section 3.2): the ends of the user's archive, read before the bind, so that
        nothing that comes meanwhile is left out.
        """
        account = await self._engine.ports.accounts.lookup(connection.account)
        if account is None or not self._engine.archiver.is_on:
            return ""
        return await summary(self._engine, account.id)

    def _bind(
        self,
        connection: Connection,
        request: Authenticate,
        bind: BindRequest,
        told: tuple[str, str],
        blocks: frozenset[str],
    ) -> list[StreamEvent]:
        """Bind a resource with what its session begins with; where the account has too many, the client may ask again
        in the old way, and is told so there.
        """
        results, archive = told
        sign_in = self._engine.sign_in
        name = self._resource_name(connection, bind.tag, request.client)
        jid = sign_in.place(connection, name, blocks, request.client)
        if jid is None or connection.resource is None:
            return connection.stream.admitted(None, results)
        answers = [archive.encode()]
        if bind.enable is not None:
            answers.append(self._engine.managed.enable(connection, bind.enable))
        if bind.has_carbons:
            get_carbons(self._engine, connection.resource)
        if not bind.is_active:
            become_inactive(connection.resource)
        return connection.stream.admitted(jid, results + bind2.bound(answers))

    def _resource_name(self, connection: Connection, tag: str | None, client: str | None) -> str:
        """The client's tag before a name of ours, which stays the same for a client (section 3.2.1)."""
        seed = None if client is None else f"{connection.stream.session_id}\0{client}"
        made = self._engine.sign_in.resource_name(seed)
        try:
            return made if tag is None else prepare_resource(f"{tag}/{made}")
        except JidMalformed:
            return made


def _wish(wanted: AdmissionWanted, has_offer: bool) -> Wish:
    """What a client wants of its tokens; a token for a mechanism that it was not offered, it does not get."""
    request = wanted.request
    mechanism = request.token_for if has_offer else None
    if wanted.token is None:
        return Wish(mechanism=mechanism)
    use = request.use or TokenUse()
    return Wish(bytes.fromhex(wanted.token), use.count, use.is_last, mechanism)
