"""One signed-in XML stream over one socket: drives `xmpp.initiator`, and pairs requests with their answers."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from heliograph.errors import HeliographError, TimedOut, Unreachable
from heliograph.sdk.endings import Ending, ending, lost
from heliograph.sdk.transport import Target, Transport, dial
from heliograph.xmpp.framing import TcpFraming
from heliograph.xmpp.initiator import Initiator
from heliograph.xmpp.initiator_events import (
    Authenticated,
    AuthenticationRefused,
    Bound,
    Closed,
    InitiatorEvent,
    StanzaReceived,
    StreamFailed,
    TlsWanted,
)
from heliograph.xmpp.stanza import Stanza, quote
from heliograph.xmpp.stream import Limits, ReaderPool
from heliograph.xmpp.stream_management import Continuation

_LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=32, max_elements=200_000)
"""What one stanza of the server may cost here: a full contact list comes in one."""

_NONCE_BYTES = 24
_pool = ReaderPool()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in: `username` at `domain` with the password of one device session."""

    username: str
    domain: str
    password: str = field(repr=False)

    @property
    def user_jid(self) -> str:
        """The bare JID."""
        return f"{self.username}@{self.domain}"


class Stream:
    """A stream; `open` it, and watch `ended`.

    Args:
        credentials: who signs in.
        receive: gets this stream and each stanza that is no answer to a request of ours.
        continuation: what is kept of the stream before it, which goes on if it can (XEP-0198).

    Attributes:
        jid: the full JID once the stream is bound.
        is_resumed: whether the stream goes on where the one before it was lost.
        ended: why and how the stream ended.
        heard_at: when the server last sent anything, by the loop's clock.
    """

    def __init__(
        self,
        credentials: Credentials,
        receive: Callable[[Stream, Stanza], None],
        continuation: Continuation | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.jid = ""
        self.is_resumed = False
        self.ended: asyncio.Future[Ending] = loop.create_future()
        self.heard_at = loop.time()
        self._credentials = credentials
        self._receive = receive
        self._continuation = continuation
        self._now = loop.time
        self._requests = 0
        self._bound: asyncio.Future[None] = loop.create_future()
        self._answers: dict[str, tuple[frozenset[str | None], asyncio.Future[Stanza]]] = {}
        self._gone = asyncio.Event()
        self._transport: Transport | None = None

    # ------------------------------------------------------------------------------------------------------- opening

    async def open(self, target: Target, context: ssl.SSLContext) -> None:
        """Connect, secure, sign in, bind.

        Raises:
            HeliographError: the stream ended before it was bound; `ended` says how.
        """
        credentials = self._credentials
        self._initiator = Initiator(
            credentials.domain,
            credentials.username,
            credentials.password,
            TcpFraming(_LIMITS, _pool),
            secrets.token_bytes(_NONCE_BYTES),
            is_secure=target.is_direct_tls,
            continuation=self._continuation,
        )
        try:
            await dial(target, context, self)
        except Unreachable as error:
            self._end(lost(error, is_bound=False))
            raise
        await asyncio.wait((self._bound, self.ended), return_when=asyncio.FIRST_COMPLETED)
        if self.ended.done():
            raise self.ended.result().error

    # ------------------------------------------------------------------------------------------------------- sending

    def send(self, stanza: bytes) -> bool:
        """Send a stanza; `False` (and nothing sent) where the stream is not bound, or no longer."""
        is_sent = self._initiator.send(stanza)
        if self._initiator.is_clogged:
            self.abort(TimedOut("The server acknowledges nothing"))
        self._flush()
        return is_sent

    async def room(self) -> None:
        """Wait until the server has taken what was sent before, or until the socket is gone."""
        await self._socket.room()

    def request(self, kind: str, payload: str, to: str | None = None) -> asyncio.Future[Stanza]:
        """Send an IQ (RFC 6120, section 8.2.3); its answer, a result or an error, comes as the future's result.

        Args:
            kind: `get` or `set`.
            payload: XML of its one child.
            to: a server's domain; `None` asks the user's own account.

        Raises:
            Unreachable: the stream is closed; the future raises it where the stream ends before the answer came.
        """
        self._requests += 1
        if self._continuation is not None:
            self._continuation.requests = self._requests
        identity = f"h{self._requests}"
        address = "" if to is None else f" to={quote(to)}"
        if not self.send(f"<iq type='{kind}' id='{identity}'{address}>{payload}</iq>".encode()):
            raise Unreachable("The stream is closed")
        answer: asyncio.Future[Stanza] = asyncio.get_running_loop().create_future()
        senders = frozenset((None, self._credentials.user_jid, self.jid) if to is None else (to,))
        self._answers[identity] = (senders, answer)
        answer.add_done_callback(lambda _: self._answers.pop(identity, None))
        return answer

    def _flush(self) -> None:
        for data in self._initiator.data_to_send():
            self._socket.write(data)

    @property
    def _socket(self) -> Transport:
        assert self._transport is not None  # noqa: S101 - nothing is sent or received before the socket is open
        return self._transport

    # ----------------------------------------------------------------------------------------------------- receiving

    def connected(self, transport: Transport) -> None:
        """The socket is open; with direct TLS the stream opens when it is secured."""
        self._transport = transport
        if not self._initiator.is_secure:
            self._initiator.start()
            self._flush()

    def secured(self) -> None:
        """The transport is encrypted."""
        binding = self._socket.channel_binding()
        if self._initiator.is_secure:
            self._initiator.start(binding)
        else:
            self._initiator.tls_established(binding)
        self._flush()

    def received(self, data: bytes) -> None:
        """Bytes came."""
        self.heard_at = self._now()
        for event in self._initiator.receive_data(data):
            self._take(event)
        self._flush()

    def lost(self, error: HeliographError | None) -> None:
        """The socket is gone."""
        self._end(lost(error or Unreachable("The server closed the connection"), is_bound=self._bound.done()))
        self._gone.set()

    def _take(self, event: InitiatorEvent) -> None:
        match event:
            case TlsWanted():
                self._flush()
                self._socket.start_tls()
            case Authenticated():
                pass
            case Bound():
                self.jid, self.is_resumed = event.jid, event.is_resumed
                if self.is_resumed and self._continuation is not None:
                    self._requests = self._continuation.requests  # answers to those may still come
                self._bound.set_result(None)
            case StanzaReceived(stanza=stanza):
                self._take_stanza(stanza)
            case StreamFailed() | AuthenticationRefused() | Closed():
                self._flush()
                self._end(ending(event, is_bound=self._bound.done()))
                self._socket.close()

    def _take_stanza(self, stanza: Stanza) -> None:
        if stanza.name == "iq" and stanza.type in ("result", "error"):
            senders, answer = self._answers.get(stanza.id or "", (frozenset(), None))
            if answer is not None and not answer.done() and stanza.get("from") in senders:
                answer.set_result(stanza)
            return
        self._receive(self, stanza)

    # -------------------------------------------------------------------------------------------------------- ending

    def _end(self, how: Ending) -> None:
        if self.ended.done():
            return
        self.ended.set_result(how)
        for _, answer in tuple(self._answers.values()):
            if not answer.done():
                answer.set_exception(how.error)
                answer.exception()  # whoever asked may have stopped waiting

    def abort(self, error: HeliographError) -> None:
        """Give the stream up, whatever the server does."""
        self._end(lost(error, is_bound=self._bound.done()))
        if self._transport is not None:
            self._transport.abort()

    async def close(self, timeout_s: float) -> None:
        """Close the stream and the socket; `timeout_s` is the patience for the server's own goodbye."""
        if self._transport is None:
            return
        if not self.ended.done():  # a stream that was lost may go on with the next socket
            self._initiator.close()
            self._flush()
        try:
            async with asyncio.timeout(timeout_s):
                await self._gone.wait()
        except TimeoutError:
            pass
        finally:
            self._transport.abort()
