"""The node's own pages: sign-in at `/`, the phone at `/phone`, the admin console at `/admin`, and the browser SDK at
`/sdk/heliograph.js`.

They are static files, built from `web/`. What depends on the node stands in `/pages/config.json`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from heliograph import wire
from heliograph.core.apps import AppKey, Environment, KeyKind
from heliograph.errors import RouteNotFound
from heliograph.server import answers
from heliograph.server.services import Services

_REVALIDATED = "no-cache"
"""A browser keeps the file, and asks each time whether it is still the same: pages and SDK change together."""

_PAGES = {"/": "signin.html", "/phone": "phone.html", "/link": "phone.html"}
"""`/link` is where the codes lead of an app that has them as links."""

_CONSOLE = {"/admin": "admin.html"}
"""A file like the others: what it shows, the API gives to the secret key that is typed into it."""


def routes(services: Services) -> list[BaseRoute]:
    """`/`, `/phone`, `/link`, `/pages/…`, `/sdk/…` and, where the node has it, `/admin`."""
    folder = services.static_dir
    pages = _PAGES | _CONSOLE if services.has_admin_console else _PAGES
    return [
        *(_page(path, name, services) for path, name in pages.items()),
        Route("/pages/config.json", _config(services)),
        Mount("/pages", _Files(directory=folder / "pages", check_dir=False)),
        Mount("/sdk", _Files(directory=folder / "sdk", check_dir=False)),
    ]


def security_policy(services: Services) -> str:
    """The pages' Content-Security-Policy (level 3): code and style from here alone, and connections to this node.

    The scanner decodes in a worker that its library makes from a blob; pictures are previewed as blobs.
    """
    public = _origin(services.public_url)
    sockets = [services.clients.websocket_url, services.clients.signal_server_url]
    reached = dict.fromkeys(["'self'", public, *(_origin(url) for url in sockets if url)])
    return "; ".join([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' data: blob: {public}",
        f"connect-src {' '.join(reached)}",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ])  # fmt: skip


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _page(path: str, name: str, services: Services) -> Route:
    file = services.static_dir / "pages" / name
    headers = {
        "Cache-Control": _REVALIDATED,
        "Content-Security-Policy": security_policy(services),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    }

    async def page(_request: Request) -> Response:
        if not file.is_file():
            raise RouteNotFound("The pages are not built; `make web` builds them")
        return FileResponse(file, headers=headers, media_type="text/html")

    return Route(path, page)


class _Files(StaticFiles):
    """A folder of built files."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or 304 where the browser has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = _REVALIDATED
        return response


class PagesConfig(wire.Body, frozen=True, kw_only=True):
    """What the pages hand to `initializeSDK`."""

    api_base_url: str
    license_key: str
    is_trial_license_key: bool = True


def _config(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """`GET /pages/config.json`: the node's address and the trial publishable key of the pages' app."""

    async def config(_request: Request) -> Response:
        key = await _trial_key(services)
        body = wire.encode(PagesConfig(api_base_url=services.public_url, license_key=key))
        return Response(body, media_type=answers.JSON)

    return config


async def _trial_key(services: Services) -> str:
    """Of the app that `pages_app` names, or of the only one."""
    known = await services.ports.apps.list()
    wanted = [keys for app, keys in known if services.pages_app in {None, app.id}]
    if len(wanted) != 1:
        raise RouteNotFound("The pages have no app: the setting pages_app names one")
    for key in wanted[0]:
        if _is_trial(key) and key.publishable is not None and key.expires_at is None:
            return key.publishable
    raise RouteNotFound("The pages' app has no trial key")


def _is_trial(key: AppKey) -> bool:
    return (key.kind, key.environment) == (KeyKind.PUBLISHABLE, Environment.SANDBOX)
