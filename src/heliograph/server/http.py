"""The HTTP application: all that a node serves, behind one boundary."""

from __future__ import annotations

from dataclasses import replace

from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from heliograph.server import endpoints, quotas
from heliograph.server.boundary import Boundary
from heliograph.server.routes import (
    accounts,
    api_docs,
    audit,
    backend_profiles,
    blocked,
    bulk,
    contacts,
    invitations,
    last_seen,
    media,
    pages,
    profiles,
    qr_links,
    sessions,
    statuses,
    system,
    tokens,
    users,
    well_known,
)
from heliograph.server.services import Services

ENDPOINTS: tuple[endpoints.Endpoint, ...] = (
    *system.ENDPOINTS,
    *accounts.ENDPOINTS,
    *tokens.ENDPOINTS,
    *sessions.ENDPOINTS,
    *profiles.ENDPOINTS,
    *statuses.ENDPOINTS,
    *contacts.ENDPOINTS,
    *invitations.ENDPOINTS,
    *blocked.ENDPOINTS,
    *last_seen.ENDPOINTS,
    *bulk.ENDPOINTS,
    *users.ENDPOINTS,
    *backend_profiles.ENDPOINTS,
    *media.ENDPOINTS,
    *audit.ENDPOINTS,
    *qr_links.ENDPOINTS,
)
"""Every endpoint below `/api/v1`."""


def create_app(services: Services) -> ASGIApp:
    """Build the ASGI application.

    It serves `/api/v1/…`, `/media/…`, `/.well-known/…`, `/livez`, `/readyz`, the pages and `services.apps`. It has no
    lifespan: who made the ports closes them. Run it with uvicorn's own `proxy_headers` switched off:
    `services.trusted_proxies` says who is believed.
    """
    rates = quotas.ObservedRates(services.ports.rates)
    observed = replace(services, ports=replace(services.ports, rates=rates))
    routes: list[BaseRoute] = [
        *(_AppRoute(path, app) for path, app in services.apps.items()),
        endpoints.Api(observed, ENDPOINTS),
        *api_docs.routes(observed, ENDPOINTS),
        *media.files(observed),
        *system.probes(observed),
        *well_known.routes(observed),
        *pages.routes(observed),
    ]
    app = Boundary(Router(routes, redirect_slashes=False), services.ports.ids, services.observe)
    if not services.trusted_proxies:
        return app
    return ProxyHeadersMiddleware(app, [*services.trusted_proxies])  # type: ignore[arg-type, return-value]


class _AppRoute(BaseRoute):
    """Hands a path and all below it to another ASGI application, HTTP and WebSocket alike."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        self.path = path
        self.app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for this application."""
        path = scope.get("path", "")
        is_ours = path == self.path or path.startswith(f"{self.path.rstrip('/')}/")
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it answer."""
        await self.app(scope, receive, send)
