"""XMPP over TCP, with STARTTLS or direct TLS (RFC 6120, section 3; XEP-0368)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from heliograph.engines.embedded.deadlines import Deadlines
from heliograph.engines.embedded.turns import SLICE_BYTES, Turns
from heliograph.tls_pipe import TlsFailed, TlsPipe

CLOSE_TIMEOUT_S = 2.0
"""How long a peer has to close its side."""
_UNREAD_MAX = 8
"""How many slices may wait for their turn; then the socket is not read from."""


class Receiver(Protocol):
    """What a transport brings bytes to."""

    def receive(self, data: bytes) -> None:
        """Bytes came."""
        ...

    def lost(self) -> None:
        """The transport is gone."""
        ...


class TcpTransport(asyncio.Protocol):
    """One accepted socket.

    Args:
        accept: makes the receiver once the socket is there; gets this transport and the peer's address.
        context: for TLS; `None` where the server has no certificate.
        turns: when what has come is handled.
        closing: those that have ended and wait for their peers.
        is_direct_tls: whether TLS starts with the first byte.

    Attributes:
        is_behind: whether the peer has not taken all that was written.
    """

    __slots__ = (
        "_accept",
        "_closing",
        "_context",
        "_is_closing",
        "_is_ended",
        "_is_in_line",
        "_is_paused",
        "_receiver",
        "_socket",
        "_tls",
        "_turns",
        "_unread",
        "is_behind",
        "is_secure",
    )

    def __init__(
        self,
        accept: Callable[[TcpTransport, str], Receiver],
        context: ssl.SSLContext | None,
        turns: Turns,
        closing: Deadlines[TcpTransport],
        *,
        is_direct_tls: bool,
    ) -> None:
        self._accept = accept
        self._context = context
        self._turns = turns
        self._closing = closing
        self._tls: TlsPipe | None = None
        self._unread: deque[bytes] | None = None
        self._is_closing = self._is_paused = self._is_in_line = self._is_ended = False
        self.is_secure = is_direct_tls
        self.is_behind = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was accepted."""
        self._socket = cast("asyncio.Transport", transport)  # a stream socket makes nothing else
        self._socket.set_write_buffer_limits(0)  # so that `is_behind` is told of the first byte
        if self.is_secure:
            self.start_tls()
        peer = transport.get_extra_info("peername")
        self._receiver = self._accept(self, str(peer[0]) if peer else "")

    def data_received(self, data: bytes) -> None:
        """Bytes came from the wire; those that were on their way when our side closed are dropped."""
        if self._is_closing:
            return
        if self._unread or self._is_paused or len(data) > SLICE_BYTES or not self._turns.has_time():
            self._put_off(data)
        else:
            self._take(data)

    def _put_off(self, data: bytes) -> None:
        """Keep bytes until it is this client's turn."""
        if self._unread is None:
            self._unread = deque()
        self._unread.extend(data[at : at + SLICE_BYTES] for at in range(0, len(data), SLICE_BYTES))
        if len(self._unread) >= _UNREAD_MAX:
            self._socket.pause_reading()
        self._stand_in_line()

    def _stand_in_line(self) -> None:
        if not self._is_in_line and not self._is_paused:
            self._is_in_line = True
            self._turns.join(self)

    def serve(self) -> bool:
        """Handle a slice of what has come; whether to stand in line for more. See `Turns`."""
        if self._unread and self._is_open:
            try:
                self._take(self._unread.popleft())
            except Exception:  # a bug ends this client alone, as it does where bytes are handled as they come
                self._socket.abort()
                raise
        self._is_in_line = self._is_open and bool(self._unread)
        if self._is_open and not self._unread:
            self._all_served()
        return self._is_in_line

    @property
    def _is_open(self) -> bool:
        """Whether what has come may be handled now."""
        return not (self._is_paused or self._is_closing)

    def _all_served(self) -> None:
        self._unread = None
        if self._is_ended:
            self._socket.close()
        else:
            self._socket.resume_reading()

    def _take(self, data: bytes) -> None:
        """Hand bytes on, decrypted."""
        if self._tls is None:
            self._receiver.receive(data)
            return
        try:
            plain = self._tls.decrypt(data)
        except TlsFailed:
            self._answer(self._tls.outgoing())
            self.abort()
            return
        self._answer(self._tls.outgoing())
        if plain:
            self._receiver.receive(plain)
        if self._tls.is_ended:  # many a peer waits for our own close_notify before it closes the socket
            self.close()

    def _answer(self, encrypted: bytes) -> None:
        """Send what TLS itself has to say."""
        if encrypted and not self._is_closing:
            self._socket.write(encrypted)

    def eof_received(self) -> bool:
        """The peer will send no more: a stream that is open only one way is over, once what came before is handled."""
        self._is_ended = bool(self._unread) and not self._is_closing
        return self._is_ended

    def connection_lost(self, _exc: Exception | None) -> None:
        """The socket is gone; what came from it before counts."""
        was_closing, self._is_closing = self._is_closing, True
        self._closing.discard(self)
        try:
            while self._unread and not was_closing:
                self._take(self._unread.popleft())
        finally:
            self._receiver.lost()

    def start_tls(self) -> None:
        """Read and write TLS from the next byte on."""
        assert self._context is not None  # noqa: S101 - TLS is only offered where there is a certificate
        self._tls = TlsPipe(self._context)
        self.is_secure = True

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._is_closing:
            return
        if self._tls is None:
            self._socket.write(data)
        elif self._tls.is_established:  # nothing can be told to a peer that has not finished its handshake
            self._socket.write(self._tls.encrypt(data))

    def pause_writing(self) -> None:
        """The peer did not take all at once."""
        self.is_behind = True

    def resume_writing(self) -> None:
        """The peer has taken all."""
        self.is_behind = False

    def pending_bytes(self) -> int:
        """How much the peer has not taken yet."""
        return self._socket.get_write_buffer_size()

    def pause(self) -> None:
        """Read no more for now."""
        if not self._is_closing:
            self._is_paused = True
            self._socket.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if not self._is_closing:
            self._is_paused = False
            if self._unread:
                self._stand_in_line()
            else:
                self._socket.resume_reading()

    def close(self) -> None:
        """Send what is pending and our end, then wait for the peer's; one that does not end in time is cut off.

        A socket that is closed with bytes unread is reset, and a reset can overtake the farewell.
        """
        if self._is_closing:
            return
        self._is_closing = True
        self._closing.add(self)
        if self._tls is not None:
            self._socket.write(self._tls.close_notify())
            if self._tls.is_ended:
                self._socket.close()
                return
        with contextlib.suppress(OSError):  # the peer has reset the socket already
            self._socket.write_eof()
        self._socket.resume_reading()

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = True
        self._socket.abort()
