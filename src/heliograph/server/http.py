"""The HTTP application: routes, error mapping and middleware in one ASGI app."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from heliograph.errors import HeliographError, InternalError, MethodNotAllowed, RequestInvalid, RouteNotFound
from heliograph.server import answers, endpoints, quotas
from heliograph.server.auth import KEY_HEADER
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

PREFLIGHT_MAX_AGE_S = 7200

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


def create_app(services: Services) -> Starlette:
    """Build the ASGI application.

    It serves `/api/v1/…`, `/media/…`, `/.well-known/…`, `/livez`, `/readyz`, the pages and `services.apps`. It has no
    lifespan: who made the ports closes them. Run it with uvicorn's own `proxy_headers` switched off:
    `services.trusted_proxies` says who is believed.
    """
    routes: list[BaseRoute] = [
        *(_AppRoute(path, app) for path, app in services.apps.items()),
        *endpoints.routes(services, ENDPOINTS),
        *api_docs.routes(services, ENDPOINTS),
        *media.files(services),
        *system.probes(services),
        *well_known.routes(services),
        *pages.routes(services),
    ]
    app = Starlette(
        routes=routes,
        middleware=_middleware(services),
        exception_handlers={HeliographError: _refuse, HTTPException: _refuse_http},
    )
    app.router.redirect_slashes = False
    return app


def _middleware(services: Services) -> list[Middleware]:
    """From the outside in. A publishable key works from any web page, and no cookie is ever looked at, so any origin
    may call.
    """
    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", KEY_HEADER],
        expose_headers=["ETag", "Retry-After", "X-Request-Id", *quotas.HEADERS],
        max_age=PREFLIGHT_MAX_AGE_S,
    )
    boundary = Middleware(Boundary, ids=services.ports.ids, observe=services.observe)
    if not services.trusted_proxies:
        return [cors, boundary]
    return [Middleware(_behind_proxies, trusted=services.trusted_proxies), cors, boundary]


def _behind_proxies(app: ASGIApp, trusted: tuple[str, ...]) -> Any:
    return ProxyHeadersMiddleware(app, trusted_hosts=[*trusted])  # type: ignore[arg-type]


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer a typed error."""
    known = error if isinstance(error, HeliographError) else InternalError()
    return quotas.tell(request, answers.failure(known, request.method))


async def _refuse_http(request: Request, error: Exception) -> Response:
    """Answer what the router has found wrong."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    kinds: dict[int, type[HeliographError]] = {404: RouteNotFound, 405: MethodNotAllowed}
    return answers.failure(kinds.get(status, RequestInvalid)(), request.method, headers)


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
