"""What the HTTP face is given: the ports, and what it tells its clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp

from heliograph.core import limits
from heliograph.core.ports import Ports
from heliograph.server.reading import Uploads

Observer = Callable[[str, str | None, int, float], None]

STATIC_DIR = Path(__file__).parent / "static"
"""Where the build of `web/` puts its output."""


def unobserved(_method: str, _route: str | None, _status: int, _elapsed_s: float) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Where clients connect to.

    Attributes:
        xmpp_host: the DNS name of the XMPP server.
        xmpp_port: its port with STARTTLS; `None` where it is closed.
        xmpp_tls_port: its port with direct TLS; `None` where it is closed.
        websocket_url: XMPP over WebSocket, `wss://…` or, on one machine, `ws://…`.
        signal_server_url: the QR signal server; `None` where there is none.
    """

    xmpp_host: str
    xmpp_port: int | None
    xmpp_tls_port: int | None
    websocket_url: str
    signal_server_url: str | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """What a node gives its HTTP face.

    Attributes:
        ports: the node's ports.
        clients: what clients are told.
        public_url: the address by which clients reach this face, without a final slash, such as `https://chat.example`.
        is_ready: whether the node takes requests; false while it starts and while it drains.
        apps: further ASGI applications by their path, such as XMPP over WebSocket at `/xmpp`; each gets the scopes
            (HTTP and WebSocket) of its path and of all below it, unchanged.
        trusted_proxies: addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` and `X-Forwarded-Proto` say the
            truth about the client; by default none.
        request_max_bytes: the largest body of a request that is no upload.
        pages_app: the id of the app whose users the pages sign in; `None` for the only app, where there is one.
        has_admin_console: whether `/admin` is served.
        static_dir: the folder of the built pages and of the built browser SDK.
        observe: is told of each request that was answered: method, pattern of its route, status, seconds.
        uploads: counts the uploads that are being read.
    """

    ports: Ports
    clients: ClientConfig
    public_url: str
    is_ready: Callable[[], bool]
    apps: Mapping[str, ASGIApp] = field(default_factory=dict)
    trusted_proxies: tuple[str, ...] = ()
    request_max_bytes: int = limits.REQUEST_MAX_BYTES
    pages_app: str | None = None
    has_admin_console: bool = True
    static_dir: Path = STATIC_DIR
    observe: Observer = unobserved
    uploads: Uploads = field(default_factory=Uploads)
