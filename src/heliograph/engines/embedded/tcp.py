"""XMPP over TCP, with STARTTLS or direct TLS (RFC 6120, section 3; XEP-0368)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from heliograph.tls_pipe import TlsFailed, TlsPipe

_CLOSE_TIMEOUT_S = 2.0


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
        is_direct_tls: whether TLS starts with the first byte.
    """

    __slots__ = ("_accept", "_context", "_deadline", "_is_closing", "_receiver", "_socket", "_tls", "is_secure")

    def __init__(
        self, accept: Callable[[TcpTransport, str], Receiver], context: ssl.SSLContext | None, *, is_direct_tls: bool
    ) -> None:
        self._accept = accept
        self._context = context
        self._tls: TlsPipe | None = None
        self._is_closing = False
        self._deadline: asyncio.TimerHandle | None = None
        self.is_secure = is_direct_tls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was accepted."""
        self._socket = cast("asyncio.Transport", transport)  # a stream socket makes nothing else
        if self.is_secure:
            self.start_tls()
        peer = transport.get_extra_info("peername")
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._receiver = self._accept(self, str(peer[0]) if peer else "")

    def data_received(self, data: bytes) -> None:
        """Bytes came from the wire; those that were on their way when our side closed are dropped."""
        if self._is_closing:
            return
        if self._tls is None:
            self._receiver.receive(data)
            return
        try:
            plain = self._tls.decrypt(data)
        except TlsFailed:
            self._socket.write(self._tls.outgoing())
            self.abort()
            return
        answer = self._tls.outgoing()
        if answer:
            self._socket.write(answer)
        if plain:
            self._receiver.receive(plain)
        if self._tls.is_ended:  # many a peer waits for our own close_notify before it closes the socket
            self.close()

    def eof_received(self) -> bool:
        """The peer will send no more: a stream that is open only one way is over."""
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """The socket is gone."""
        self._is_closing = True
        if self._deadline is not None:
            self._deadline.cancel()
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

    def pending_bytes(self) -> int:
        """How much the peer has not taken yet."""
        return self._socket.get_write_buffer_size()

    def pause(self) -> None:
        """Read no more for now."""
        if not self._is_closing:
            self._socket.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if not self._is_closing:
            self._socket.resume_reading()

    def close(self) -> None:
        """Send what is pending and our end, then wait for the peer's; one that does not end in time is cut off.

        A socket that is closed with bytes unread is reset, and a reset can overtake the farewell.
        """
        if self._is_closing:
            return
        self._is_closing = True
        self._deadline = asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT_S, self._socket.abort)
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
