"""XMPP over WebSocket (RFC 7395) as an ASGI application, for the node to mount beside its HTTP routes."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from heliograph.xmpp.stream import StreamError

if TYPE_CHECKING:
    from heliograph.engines.embedded.connection import Connection
    from heliograph.engines.embedded.engine import EmbeddedEngine

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_SUBPROTOCOL = "xmpp"
_NORMAL_CLOSURE = 1000
_GOING_AWAY = 1001
"""What a browser says when its user leaves the page (RFC 6455, section 7.4.1)."""
_UNSUPPORTED_DATA = 1003
_CLOSE_TIMEOUT_S = 5.0


class WebSocketTransport:
    """One accepted WebSocket; its messages go out in order, by `drain`.

    Args:
        is_secure: whether what is said cannot be read on the way.

    Attributes:
        has_peer_left: whether the client said that it goes away, and did not just fall silent.
    """

    def __init__(self, *, is_secure: bool) -> None:
        self.is_secure = is_secure
        self.has_peer_left = False
        self._messages: asyncio.Queue[bytes | None] = asyncio.Queue()  # bounded in bytes: see pending_bytes
        self._pending_bytes = 0
        self._may_read = asyncio.Event()
        self._may_read.set()
        self.closed = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Send one message."""
        self._pending_bytes += len(data)
        self._messages.put_nowait(data)

    @property
    def is_behind(self) -> bool:
        """Whether not all has been handed to the socket yet."""
        return self._pending_bytes > 0

    def pending_bytes(self) -> int:
        """How much has not been handed to the socket yet."""
        return self._pending_bytes

    def start_tls(self) -> None:
        """Never offered: a WebSocket brings its own TLS (RFC 7395, section 3.9)."""
        raise NotImplementedError

    def pause(self) -> None:
        """Read no more for now."""
        self._may_read.clear()

    def resume(self) -> None:
        """Read on."""
        self._may_read.set()

    def close(self) -> None:
        """Send what is pending, then close; a peer that does not take it in time is cut off."""
        self._messages.put_nowait(None)
        asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT_S, self.closed.set)

    def abort(self) -> None:
        """Close at once."""
        self.closed.set()

    async def may_read(self) -> None:
        """Wait while reading is paused."""
        await self._may_read.wait()

    async def drain(self, send: Send) -> None:
        """Send messages until the transport is closed or the peer is gone."""
        with contextlib.suppress(OSError):
            while (data := await self._messages.get()) is not None:
                await send({"type": "websocket.send", "text": data.decode()})
                self._pending_bytes -= len(data)
            await send({"type": "websocket.close", "code": _NORMAL_CLOSURE})
        self.closed.set()


def websocket_app(engine: EmbeddedEngine) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application. A WebSocket without the subprotocol `xmpp` is refused (RFC 7395, section 3.1)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await send({"type": "http.response.start", "status": 426, "headers": [(b"upgrade", b"websocket")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await receive()  # websocket.connect
        if _SUBPROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.close", "code": _UNSUPPORTED_DATA})
            return
        await send({"type": "websocket.accept", "subprotocol": _SUBPROTOCOL})
        address = scope["client"][0] if scope.get("client") else ""
        transport = WebSocketTransport(is_secure=scope.get("scheme") == "wss" or _is_loopback(address))
        connection = engine.accept_websocket(transport, address)
        try:
            async with asyncio.TaskGroup() as group:
                sender = group.create_task(transport.drain(send))
                reader = group.create_task(_read(connection, transport, receive))
                await transport.closed.wait()
                sender.cancel()
                reader.cancel()
        finally:
            connection.lost(has_left=transport.has_peer_left)

    return app


async def _read(connection: Connection, transport: WebSocketTransport, receive: Receive) -> None:
    while True:
        await transport.may_read()
        message = await receive()
        if message["type"] == "websocket.disconnect":
            transport.has_peer_left = message.get("code") == _GOING_AWAY
            transport.abort()
            return
        text = message.get("text")
        if text is None:
            connection.end(StreamError("bad-format", "XMPP comes in text frames (RFC 7395, section 3.2)"))
        else:
            connection.receive(text.encode())


def _is_loopback(address: str) -> bool:
    """Whether the peer is this machine: a browser in development, or a proxy that ends TLS here."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
