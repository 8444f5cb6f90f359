"""The outermost layer of every request.

It gives the request its id and its log line, the answer the headers that keep browsers safe, and is the one place where
an unknown exception ends.
"""

from __future__ import annotations

import time
import traceback

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.core.ports import Ids
from heliograph.errors import InternalError
from heliograph.server import answers
from heliograph.server.services import Observer

log = structlog.get_logger(__name__)

REQUEST_ID_BYTES = 8

DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What an answer says where its route has not said otherwise."""


class Exchange:
    """One request and its answer, as far as it has come.

    Args:
        scope: the request's ASGI scope.
        request_id: names the request in the answer and in the logs.
    """

    def __init__(self, scope: Scope, request_id: str) -> None:
        self.scope = scope
        self.request_id = request_id
        self.status: int | None = None
        self._began = time.perf_counter()

    @property
    def route(self) -> str | None:
        """The pattern of the route; `None` where there is none."""
        return getattr(self.scope.get("route"), "path", None)

    @property
    def elapsed_s(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self._began

    def observe(self, send: Send) -> Send:
        """Send on, with the headers that each answer gets."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in DEFAULT_HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = self.request_id
            await send(message)

        return sending

    def log(self, event: str, level: str, **facts: object) -> None:
        """Write one line. The route is named by its pattern: an address as it came may hold anything."""
        getattr(log, level)(
            event,
            request_id=self.request_id,
            method=self.scope["method"],
            route=self.route,
            status=self.status,
            elapsed_ms=round(self.elapsed_s * 1000, 2),
            **facts,
        )


class Boundary:
    """ASGI middleware; see the module.

    Args:
        app: what answers.
        ids: where request ids come from.
        observe: is told of each request that was answered.
    """

    def __init__(self, app: ASGIApp, ids: Ids, observe: Observer) -> None:
        self._app = app
        self._ids = ids
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on and see to its end; all else passes as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, self._ids.random(REQUEST_ID_BYTES).hex())
        observed = exchange.observe(send)
        try:
            await self._app(scope, receive, observed)
        except ClientDisconnect:
            exchange.log("client_left", "info")
        except Exception as error:
            # The one place where a bug becomes an answer.
            # As text: a log renderer that shows local variables would show secrets.
            stack = "".join(traceback.format_exception(error))
            exchange.log("request_failed", "error", error_id=exchange.request_id, error=stack)
            if exchange.status is not None:
                raise  # half an answer is out: only closing the connection can tell
            failure = answers.failure(InternalError(details={"errorId": exchange.request_id}), scope["method"])
            await failure(scope, receive, observed)
        else:
            exchange.log("request_served", "info" if (exchange.status or 0) >= 400 else "debug")
        finally:
            if exchange.status is not None:
                self._observe(scope["method"], exchange.route, exchange.status, exchange.elapsed_s)
