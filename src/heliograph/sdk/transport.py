"""A socket to an XMPP server, plain at first or TLS from the first byte (RFC 6120, section 3; XEP-0368)."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Protocol, cast

from heliograph.errors import HeliographError, Unreachable
from heliograph.tls_pipe import TlsFailed, TlsPipe, end_point
from heliograph.wire import Config
from heliograph.xmpp.scram import END_POINT, ChannelBinding


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect to; `host` is also whom the certificate has to be for."""

    host: str
    port: int
    is_direct_tls: bool


def targets(config: Config) -> tuple[Target, ...]:
    """The ways to a server, best first: direct TLS takes a round trip less than STARTTLS."""
    ports = ((config.xmpp_tls_port, True), (config.xmpp_port, False))
    return tuple(Target(config.xmpp_host, port, is_direct) for port, is_direct in ports if port is not None)


class Receiver(Protocol):
    """What a transport brings bytes and news to."""

    def connected(self, transport: Transport) -> None:
        """The socket is open; comes first."""
        ...

    def secured(self) -> None:
        """TLS is established."""
        ...

    def received(self, data: bytes) -> None:
        """Bytes came."""
        ...

    def lost(self, error: HeliographError | None) -> None:
        """The socket is gone: because of an error, or because one of the sides closed it. Comes once."""
        ...


class Transport(asyncio.Protocol):
    """One socket. Made by `dial`.

    Args:
        receiver: gets what comes.
        context: what TLS trusts.
        target: where it leads.
    """

    def __init__(self, receiver: Receiver, context: ssl.SSLContext, target: Target) -> None:
        self._receiver = receiver
        self._context = context
        self._target = target
        self._tls: TlsPipe | None = None
        self._error: HeliographError | None = None
        self._has_room = asyncio.Event()
        self._has_room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._socket = cast("asyncio.Transport", transport)  # a stream socket makes nothing else
        self._receiver.connected(self)
        if self._target.is_direct_tls:
            self.start_tls()

    def start_tls(self) -> None:
        """Read and write TLS from the next byte on; `Receiver.secured` tells when it stands."""
        self._tls = TlsPipe(self._context, self._target.host)
        self._socket.write(self._tls.outgoing())

    def data_received(self, data: bytes) -> None:
        """Bytes came from the wire."""
        if self._tls is None:
            self._receiver.received(data)
            return
        was_established = self._tls.is_established
        try:
            plain = self._tls.decrypt(data)
        except TlsFailed as error:
            blame = "The server's certificate is not trusted" if error.is_untrusted else "TLS failed"
            self._error = Unreachable(f"{blame}: {error.reason}")
            self._socket.write(self._tls.outgoing())
            self._socket.abort()
            return
        if answer := self._tls.outgoing():
            self._socket.write(answer)
        if self._tls.is_established and not was_established:
            self._receiver.secured()
        if plain:
            self._receiver.received(plain)

    def channel_binding(self) -> ChannelBinding | None:
        """What ties a sign-in to this TLS connection (RFC 5929, section 4), once it is secured."""
        certificate = None if self._tls is None else self._tls.peer_certificate()
        data = None if certificate is None else end_point(certificate)
        return None if data is None else ChannelBinding(END_POINT, data)

    def pause_writing(self) -> None:
        """The server takes less than is sent: too much waits already."""
        self._has_room.clear()

    def resume_writing(self) -> None:
        """The server has taken enough of it."""
        self._has_room.set()

    async def room(self) -> None:
        """Wait until more may be sent, or until the socket is gone. Others get their turn in any case."""
        await asyncio.sleep(0)
        await self._has_room.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if self._error is None and exc is not None:
            self._error = Unreachable(f"The connection broke: {exc}")
        self._has_room.set()
        self._receiver.lost(self._error)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._socket.is_closing():
            return
        if self._tls is None:
            self._socket.write(data)
        elif self._tls.is_established:
            self._socket.write(self._tls.encrypt(data))

    def close(self) -> None:
        """Send what is pending, then close."""
        if self._tls is not None and self._tls.is_established and not self._socket.is_closing():
            self._socket.write(self._tls.close_notify())
        self._socket.close()

    def abort(self) -> None:
        """Close at once."""
        self._socket.abort()


async def dial(target: Target, context: ssl.SSLContext, receiver: Receiver) -> None:
    """Open a socket; the receiver hears of it.

    Raises:
        Unreachable: nobody listens there.
    """
    loop = asyncio.get_running_loop()
    try:
        await loop.create_connection(lambda: Transport(receiver, context, target), target.host, target.port)
    except OSError as error:
        raise Unreachable(f"{target.host}:{target.port} cannot be reached: {error.strerror or error}") from error
