"""What a client asks first, and what a supervisor asks: configuration, liveness, readiness."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph import wire
from heliograph.errors import Unreachable
from heliograph.server import answers, auth, bodies
from heliograph.server.endpoints import Call, NoBody, by_key
from heliograph.server.services import Services


async def config(call: Call[NoBody]) -> wire.Config:
    """`GET /config?isTrial=`: check the key, and say how to connect."""
    auth.require_mode(call.caller, call.flag("isTrial"))
    return bodies.config(call.services, call.caller)


def probes(services: Services) -> list[Route]:
    """`/livez`: the process answers. `/readyz`: it takes requests."""

    async def live(_request: Request) -> Response:
        return answers.success(message="Alive")

    async def ready(_request: Request) -> Response:
        if not services.is_ready():
            raise Unreachable("The node takes no requests now")
        return answers.success(message="Ready")

    return [Route("/livez", live), Route("/readyz", ready)]


ENDPOINTS = (by_key("GET", "/config", NoBody, config),)
