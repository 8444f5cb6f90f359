"""One running node: the place where adapters are chosen and put together."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
import uvicorn

from heliograph import upkeep
from heliograph.bus import Shared
from heliograph.bus.in_process import InProcessBus, InProcessRateCounters
from heliograph.core.media_ports import MediaStore
from heliograph.core.ports import Engine, Ports
from heliograph.database import extra, invalid, open_stores
from heliograph.engines.ejabberd.configuration import Component, Configuration
from heliograph.engines.ejabberd.engine import EjabberdEngine
from heliograph.engines.ejabberd.link import Address
from heliograph.engines.embedded.engine import EmbeddedEngine, EngineLimits, Listener
from heliograph.engines.embedded.websocket import websocket_app
from heliograph.errors import SettingsInvalid
from heliograph.media.filesystem import FilesystemMedia
from heliograph.media.images import ImageWorkers
from heliograph.server.http import create_app
from heliograph.server.metrics import metrics_app
from heliograph.server.services import ClientConfig, Services
from heliograph.server.signal import signal_app
from heliograph.settings import Settings
from heliograph.system.certificate import self_signed, server_context, server_end_point
from heliograph.system.chance import SystemIds
from heliograph.system.clock import SystemClock
from heliograph.system.credentials import STOCK, PreparedCredentials
from heliograph.system.metrics import Metrics
from heliograph.system.open_files import OPEN_FILES_ENOUGH, OPEN_FILES_WANTED, raise_open_files_limit
from heliograph.system.outbound import GuardedHttp
from heliograph.system.sealing import JweSealer
from heliograph.system.secret import installation_secret

if TYPE_CHECKING:
    from heliograph.media.s3 import Bucket

log = structlog.get_logger("heliograph.node")

WEBSOCKET_PATH = "/xmpp"
SIGNAL_PATH = "/signal"
_HTTP_BACKLOG = 2048
_HTTP_KEEP_ALIVE_S = 75
"""How long a connection may lie idle: longer than clients and proxies keep one, which are 60 s at the most with what is
common. A call that meets the end of its connection is lost, and most may not be repeated (RFC 9112, section 9.3.1).
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is up.

    Attributes:
        ports: its ports, for use cases beside the HTTP face.
        engine: its XMPP server.
        public_url: the address of its HTTP face, without a final slash.
        http_port, xmpp_port, xmpps_port: the ports that are really open.
        certificate_file: the certificate that its XMPP server shows.
        metrics_url: where Prometheus finds its metrics; `None` where it does not.
    """

    ports: Ports
    engine: EmbeddedEngine
    public_url: str
    http_port: int
    xmpp_port: int
    xmpps_port: int
    certificate_file: Path
    metrics_url: str | None = None


class _HttpServer(uvicorn.Server):
    """Uvicorn without signal handlers: who runs the node decides when it stops."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to others."""
        yield


@asynccontextmanager
async def run_node(settings: Settings) -> AsyncIterator[Node]:
    """Start a node; it stops, gracefully, when the context is left.

    Raises:
        SettingsInvalid: the settings cannot be carried out; the message says which and why.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_open_files()
    certificate, key = _certificate(settings)
    async with contextlib.AsyncExitStack() as stack:
        http_socket = _listen(settings.http_host, settings.http_port)
        stack.callback(http_socket.close)
        http_port = http_socket.getsockname()[1]
        public_url = settings.public_url_at(http_port)
        engine = _engine(settings, certificate, key)
        ports = await _open_ports(stack, settings, engine, public_url, prepared=STOCK)
        xmpp_port, xmpps_port = await _start_engine(engine, ports, settings)
        node = Node(ports, engine, public_url, http_port, xmpp_port, xmpps_port, certificate)
        metrics = Metrics()
        async with _serving(node, settings, http_socket, metrics), _showing(metrics, node, settings) as metrics_url:
            yield replace(node, metrics_url=metrics_url)


def _engine(settings: Settings, certificate: Path, key: Path) -> EmbeddedEngine:
    secret = installation_secret(settings.installation_secret_file)
    if settings.engine == "ejabberd":
        return EjabberdEngine(
            ejabberd_components(settings), ejabberd_api_urls(settings), ejabberd_api_token(settings), secret=secret
        )
    return EmbeddedEngine(
        _engine_limits(settings),
        server_context(certificate, key),
        end_point=server_end_point(certificate),
        secret=secret,
        requires_tls=settings.xmpp_requires_tls,
        contact_addresses=_contact_addresses(settings),
    )


@asynccontextmanager
async def _showing(metrics: Metrics, node: Node, settings: Settings) -> AsyncIterator[str | None]:
    """Show metrics on a port of their own, where settings say so."""
    if settings.metrics_host is None:
        yield None
        return
    with _listen(settings.metrics_host, settings.metrics_port) as listening:
        app = metrics_app(metrics, node.ports, lambda: node.engine.connections)
        config = uvicorn.Config(app, lifespan="off", access_log=False, log_config=None, server_header=False)
        server = _HttpServer(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            host = f"[{settings.metrics_host}]" if ":" in settings.metrics_host else settings.metrics_host
            yield f"http://{host}:{listening.getsockname()[1]}/metrics"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def open_ports(settings: Settings) -> AsyncIterator[Ports]:
    """The ports of a node that does not serve, for commands that look after its database; it may serve elsewhere.

    Raises:
        SettingsInvalid: the database cannot be opened.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    idle = EmbeddedEngine(EngineLimits(), None, requires_tls=True)
    async with contextlib.AsyncExitStack() as stack:
        yield await _open_ports(stack, settings, idle, settings.public_url_at(settings.http_port), prepared=0)


async def _open_ports(
    stack: contextlib.AsyncExitStack, settings: Settings, engine: Engine, public_url: str, *, prepared: int
) -> Ports:
    ids = SystemIds()
    stores = await stack.enter_async_context(open_stores(settings))
    shared = await stack.enter_async_context(_shared(settings))
    credentials = stack.enter_context(PreparedCredentials(ids.random, stock=prepared))
    remote_images = await stack.enter_async_context(GuardedHttp()) if settings.fetch_remote_images else None
    return Ports(
        clock=SystemClock(),
        ids=ids,
        credentials=credentials,
        **stores.by_name(),
        media=_media_store(settings, f"{public_url}/media/"),
        images=await stack.enter_async_context(ImageWorkers(settings.image_workers)),
        remote_images=remote_images,
        rates=shared.rates,
        bus=shared.bus,
        sealer=JweSealer(),
        engine=engine,
    )


@asynccontextmanager
async def _shared(settings: Settings) -> AsyncIterator[Shared]:
    """What this node shares with others: by Redis, or nothing."""
    if settings.redis_url is None:
        yield Shared(InProcessBus(), InProcessRateCounters())
        return
    with extra("redis_url", "Redis", "redis"):
        from heliograph.bus import redis  # noqa: PLC0415 - an optional library
    async with redis.connect(settings.redis_url.get_secret_value()) as shared:
        yield shared


def _media_store(settings: Settings, base_url: str) -> MediaStore:
    if settings.media_store == "files":
        return FilesystemMedia(settings.media_folder, base_url)
    bucket = s3_bucket(settings)
    from heliograph.media.s3 import S3Media  # noqa: PLC0415 - an optional library

    return S3Media(bucket, base_url)


def s3_bucket(settings: Settings) -> Bucket:
    """The bucket that the settings name.

    Raises:
        SettingsInvalid: the library for it is missing, or its secret cannot be read.
    """
    with extra("media_store", "S3", "s3"):
        from heliograph.media.s3 import Bucket  # noqa: PLC0415 - an optional library
    return Bucket(
        settings.s3_bucket or "",
        settings.s3_endpoint or "",
        settings.s3_region,
        settings.s3_prefix,
        settings.s3_access_key_id or "",
        _s3_secret(settings),
    )


def _s3_secret(settings: Settings) -> str:
    if settings.s3_secret_access_key is not None:
        return settings.s3_secret_access_key.get_secret_value()
    if settings.s3_secret_access_key_file is None:
        return ""
    try:
        return settings.s3_secret_access_key_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise invalid("s3_secret_access_key_file", type(error).__name__) from None


@asynccontextmanager
async def _serving(node: Node, settings: Settings, http_socket: socket.socket, metrics: Metrics) -> AsyncIterator[None]:
    """Serve HTTP and sweep while the context lasts; then drain: let load balancers notice, take no new work, tell every
    stream, finish requests.
    """
    is_ready = True
    services = _services(node, settings, lambda: is_ready and node.engine.is_reachable, metrics)
    server = _HttpServer(_uvicorn_config(services, settings))
    serving = asyncio.create_task(server.serve(sockets=[http_socket]))
    keeping_up = asyncio.create_task(upkeep.run(node.ports, settings))
    log.info("node_started", url=node.public_url, xmpp_port=node.xmpp_port, xmpps_port=node.xmpps_port)
    try:
        yield
    finally:
        is_ready = False
        await asyncio.sleep(settings.shutdown_delay_s)
        keeping_up.cancel()
        await node.engine.stop(settings.drain_timeout_s)
        server.should_exit = True
        await asyncio.gather(serving, keeping_up, return_exceptions=True)
        log.info("node_stopped")


def _services(node: Node, settings: Settings, is_ready: Callable[[], bool], metrics: Metrics) -> Services:
    websocket_url = node.public_url.replace("http", "ws", 1)
    is_embedded = settings.engine == "embedded"
    services = Services(
        ports=node.ports,
        clients=ClientConfig(
            settings.domain,
            node.xmpp_port,
            node.xmpps_port,
            f"{websocket_url}{WEBSOCKET_PATH}" if is_embedded else _ejabberd_websocket_url(settings),
            settings.signal_server_url or f"{websocket_url}{SIGNAL_PATH}",
        ),
        public_url=node.public_url,
        is_ready=is_ready,
        apps={WEBSOCKET_PATH: websocket_app(node.engine)} if is_embedded else {},
        trusted_proxies=tuple(map(str, settings.trusted_proxies)),
        request_max_bytes=settings.request_max_bytes,
        pages_app=settings.pages_app,
        has_admin_console=settings.admin_console,
        observe=metrics.request,
    )
    return replace(services, apps={**services.apps, SIGNAL_PATH: signal_app(services)})


def _uvicorn_config(services: Services, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(services),
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=settings.stanza_max_bytes,
        ws_per_message_deflate=False,  # compression would cost memory for each connection, and leak lengths
        lifespan="off",
        proxy_headers=False,
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=_HTTP_BACKLOG,
        timeout_keep_alive=_HTTP_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(settings.drain_timeout_s)),
    )


async def _start_engine(engine: EmbeddedEngine, ports: Ports, settings: Settings) -> tuple[int, int]:
    if settings.engine == "ejabberd":
        await engine.start(ports, [])
        return settings.xmpp_port, settings.xmpps_port
    listeners = [
        Listener(settings.xmpp_host, settings.xmpp_port),
        Listener(settings.xmpp_host, settings.xmpps_port, is_direct_tls=True),
    ]
    try:
        xmpp_port, xmpps_port = await engine.start(ports, listeners)
    except OSError as error:
        raise SettingsInvalid(f"XMPP cannot listen on {settings.xmpp_host}: {error.strerror}") from None
    return xmpp_port, xmpps_port


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=_HTTP_BACKLOG)
    except OSError as error:
        raise SettingsInvalid(f"HTTP cannot listen on {host}, port {port}: {error.strerror}") from None
    # Accepted sockets inherit it. The standard event loop sets it by itself, but not on a socket made like this one.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _certificate(settings: Settings) -> tuple[Path, Path]:
    if settings.tls_certificate_file is not None and settings.tls_key_file is not None:
        return settings.tls_certificate_file, settings.tls_key_file
    return self_signed(settings.tls_folder, [settings.domain, f"sandbox.{settings.domain}"])


def _contact_addresses(settings: Settings) -> dict[str, tuple[str, ...]]:
    return {
        "admin": settings.admin_addresses,
        "abuse": settings.abuse_addresses,
        "security": settings.security_addresses,
        "support": settings.support_addresses,
    }


def _engine_limits(settings: Settings) -> EngineLimits:
    return EngineLimits(
        stanza_max_bytes=settings.stanza_max_bytes,
        authentication_timeout_s=settings.authentication_timeout_s,
        pending_output_max_bytes=settings.pending_output_max_bytes,
        stanzas_per_s=settings.stanzas_per_s,
        has_archive=settings.archive_days > 0,
        archive_messages_max=settings.archive_messages_max,
        connections_per_address_max=settings.connections_per_address_max,
        unauthenticated_per_address_max=settings.unauthenticated_per_address_max,
    )


def _check_open_files() -> None:
    allowed = raise_open_files_limit(OPEN_FILES_WANTED)
    if allowed < OPEN_FILES_ENOUGH:
        log.warning("few_open_files", allowed=allowed, wanted=OPEN_FILES_ENOUGH, hint="raise the limit with ulimit -n")


async def ejabberd_configuration(settings: Settings, auth_command: str, components: Sequence[str]) -> Configuration:
    """What ejabberd's configuration is made of, for the apps that there are.

    Args:
        settings: the node's.
        auth_command: runs `heliograph ejabberd-auth`.
        components: the names of all nodes' components; none for this node's alone.

    Raises:
        SettingsInvalid: the database cannot be opened, or nobody can tell where ejabberd's HTTP API listens.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with open_stores(settings) as stores:
        hosts = [domain for app, _ in await stores.apps.list() for domain in (app.domain, app.sandbox_domain)]
    api = urlsplit(settings.ejabberd_api_url)
    secret = _component_secret(settings)
    return Configuration(
        hosts=hosts or [settings.domain],
        components=[Component(name, secret) for name in components or (_component_name(settings),)],
        auth_command=auth_command,
        certificate_files=[str(path.absolute()) for path in _certificate(settings)],
        xmpp_ip=settings.xmpp_host,
        xmpp_port=settings.xmpp_port,
        xmpps_port=settings.xmpps_port,
        api_ip=api.hostname or "127.0.0.1",
        api_port=api.port or (443 if api.scheme == "https" else 80),
        component_ip=settings.ejabberd_component_host,
        component_port=settings.ejabberd_component_port,
        requires_tls=settings.xmpp_requires_tls,
    )


def _ejabberd_websocket_url(settings: Settings) -> str:
    beside_api = settings.ejabberd_api_url.removesuffix("/api").replace("http", "ws", 1)
    return settings.ejabberd_websocket_url or f"{beside_api}/ws"


def ejabberd_api_urls(settings: Settings) -> tuple[str, ...]:
    """The HTTP API of each node of ejabberd; the first is this node's own."""
    return settings.ejabberd_api_url, *settings.ejabberd_cluster_api_urls


def ejabberd_api_token(settings: Settings) -> str | None:
    """What each of these APIs is asked with; `None` where they ask for nothing."""
    token = settings.ejabberd_api_token
    return None if token is None else token.get_secret_value()


def ejabberd_components(settings: Settings) -> list[Address]:
    """Where each node of ejabberd listens for components, and how this one connects."""
    name, secret = _component_name(settings), _component_secret(settings)
    first = Address(settings.ejabberd_component_host, settings.ejabberd_component_port, name, secret)
    others = [each.rpartition(":") for each in settings.ejabberd_cluster_components]
    return [first, *(Address(host.strip("[]"), int(port), name, secret) for host, _, port in others)]


def _component_name(settings: Settings) -> str:
    return settings.ejabberd_component_name or f"heliograph.{settings.domain}"


def _component_secret(settings: Settings) -> str:
    if settings.ejabberd_component_secret is not None:
        return settings.ejabberd_component_secret.get_secret_value()
    secret = installation_secret(settings.installation_secret_file)
    return hmac.digest(secret, b"ejabberd component", "sha256").hex()
