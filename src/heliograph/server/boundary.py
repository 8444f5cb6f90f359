"""The outermost layer of every request, in one pass.

It gives the request its id and its log line, and the answer the headers that browsers and callers look for. It turns
typed errors into answers, and is the one place where an unknown exception ends.

One layer, and not one for each of these: every further one wraps the call and what is sent. As five they took a call
that does nothing else 62 µs; as one they take 20.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterable

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.core.ports import Ids
from heliograph.errors import HeliographError, InternalError, MethodNotAllowed, RequestInvalid, RouteNotFound
from heliograph.server import answers, quotas
from heliograph.server.auth import KEY_HEADER
from heliograph.server.services import Observer

log = structlog.get_logger(__name__)

REQUEST_ID_BYTES = 8
PREFLIGHT_MAX_AGE_S = 7200

DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What an answer says where its route has not said otherwise."""

Pairs = list[tuple[bytes, bytes]]


def _pairs(headers: Iterable[tuple[str, str]]) -> Pairs:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


_DEFAULTS = _pairs(DEFAULT_HEADERS.items())


class Exchange:
    """One request and its answer, as far as it has come.

    Args:
        scope: the request's ASGI scope.
        send: where the answer goes.
        request_id: names the request in the answer and in the logs.
        defaults: the headers that the answer gets where its route has not set them.
    """

    __slots__ = ("_began", "_defaults", "_quota", "_send", "request_id", "scope", "status")

    def __init__(self, scope: Scope, send: Send, request_id: str, defaults: Pairs) -> None:
        self.scope = scope
        self.request_id = request_id
        self.status: int | None = None
        self._send = send
        self._defaults = defaults
        self._quota = quotas.observe()
        self._began = time.perf_counter()

    @property
    def route(self) -> str | None:
        """The pattern of the route; `None` where there is none."""
        return getattr(self.scope.get("route"), "path", None)

    @property
    def elapsed_s(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self._began

    async def send(self, message: Message) -> None:
        """Send on, with the headers that each answer gets."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._completed([*message.get("headers", ())])
        await self._send(message)

    def _completed(self, headers: Pairs) -> Pairs:
        names = {name for name, _ in headers}
        varies = [value for name, value in headers if name == b"vary"] if b"vary" in names else []
        return [
            *([pair for pair in headers if pair[0] != b"vary"] if varies else headers),
            *(pair for pair in self._defaults if pair[0] not in names),
            *self._quota.headers(),
            (b"vary", b", ".join([*varies, b"Origin"])),
            (b"x-request-id", self.request_id.encode()),
        ]

    def log(self, event: str, level: int, **facts: object) -> None:
        """Write one line. The route is named by its pattern: an address as it came may hold anything."""
        if log.is_enabled_for(level):
            log.log(
                level,
                event,
                request_id=self.request_id,
                method=self.scope["method"],
                route=self.route,
                status=self.status,
                elapsed_ms=round(self.elapsed_s * 1000, 2),
                **facts,
            )


class Boundary:
    """The ASGI application that a node serves; see the module.

    Args:
        app: what answers; typed errors may come out of it.
        ids: where request ids come from.
        observe: is told of each request that was answered.
    """

    def __init__(self, app: ASGIApp, ids: Ids, observe: Observer) -> None:
        self._app = app
        self._ids = ids
        self._observe = observe
        # A publishable key works from any web page, and no cookie is ever looked at, so any origin may call.
        self._cors = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", KEY_HEADER],
            expose_headers=["ETag", "Retry-After", "X-Request-Id", *quotas.HEADERS],
            max_age=PREFLIGHT_MAX_AGE_S,
        )
        self._from_pages = [*_DEFAULTS, *_pairs(self._cors.simple_headers.items())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on and see to its end; all else passes as it is."""
        scope["app"] = self  # so that routes raise what they refuse, rather than answer it in their own form
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and _is_preflight(Headers(scope=scope)):
            await self._cors.preflight_response(Headers(scope=scope))(scope, receive, send)
        else:
            is_from_page = any(name == b"origin" for name, _ in scope["headers"])
            defaults = self._from_pages if is_from_page else _DEFAULTS
            exchange = Exchange(scope, send, self._ids.random(REQUEST_ID_BYTES).hex(), defaults)
            await self._see_through(exchange, receive)

    async def _see_through(self, exchange: Exchange, receive: Receive) -> None:
        scope = exchange.scope
        try:
            await self._answer(exchange, receive)
        except ClientDisconnect:
            exchange.log("client_left", logging.INFO)
        except Exception as error:
            # The one place where a bug becomes an answer.
            # As text: a log renderer that shows local variables would show secrets.
            stack = "".join(traceback.format_exception(error))
            exchange.log("request_failed", logging.ERROR, error_id=exchange.request_id, error=stack)
            if exchange.status is not None:
                raise  # half an answer is out: only closing the connection can tell
            failure = answers.failure(InternalError(details={"errorId": exchange.request_id}), scope["method"])
            await failure(scope, receive, exchange.send)
        else:
            exchange.log("request_served", logging.INFO if (exchange.status or 0) >= 400 else logging.DEBUG)
        finally:
            if exchange.status is not None:
                self._observe(scope["method"], exchange.route, exchange.status, exchange.elapsed_s)

    async def _answer(self, exchange: Exchange, receive: Receive) -> None:
        """Let the application answer; a typed error becomes the answer."""
        try:
            await self._app(exchange.scope, receive, exchange.send)
        except (HeliographError, HTTPException) as error:
            if exchange.status is not None:
                raise
            refusal = _refusal(error, exchange.scope["method"])
            await refusal(exchange.scope, receive, exchange.send)


def _is_preflight(headers: Headers) -> bool:
    """Whether a browser asks what a page of another origin may do (Fetch Standard, section 3.2.2)."""
    return "origin" in headers and "access-control-request-method" in headers


def _refusal(error: HeliographError | HTTPException, method: str) -> Response:
    if isinstance(error, HeliographError):
        return answers.failure(error, method)
    kinds: dict[int, type[HeliographError]] = {404: RouteNotFound, 405: MethodNotAllowed}
    return answers.failure(kinds.get(error.status_code, RequestInvalid)(), method, error.headers)
