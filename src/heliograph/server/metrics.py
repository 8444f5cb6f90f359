"""Where Prometheus reads a node's metrics: on a port of its own, so that the public one never shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph.core.ports import Ports


class Shown(Protocol):
    """What is shown; the node brings it along."""

    def standing(self, connections: int, prepared: int, waiting: int, dead: int, dropped: int) -> None:
        """Note how things stand at this moment."""
        ...

    def text(self) -> bytes:
        """All of it."""
        ...


_TEXT = "text/plain; version=1.0.0; charset=utf-8"


def metrics_app(metrics: Shown, ports: Ports, connections: Callable[[], int]) -> Starlette:
    """The ASGI application with `/metrics`.

    Args:
        metrics: what the node counts.
        ports: the node's ports.
        connections: how many XMPP connections are open now.
    """

    async def show(_request: Request) -> Response:
        webhooks = await ports.webhooks.list()
        metrics.standing(
            connections(),
            ports.credentials.prepared,
            sum(each.waiting for each in webhooks),
            sum(each.dead for each in webhooks),
            sum(each.dropped for each in webhooks),
        )
        return Response(metrics.text(), headers={"Content-Type": _TEXT, "Cache-Control": "no-store"})

    return Starlette(routes=[Route("/metrics", show)])
