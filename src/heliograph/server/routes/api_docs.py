"""The description of the API: `/api/openapi.json` for programs, `/api/docs` for people."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph.server import answers
from heliograph.server.endpoints import Endpoint
from heliograph.server.openapi.document import document
from heliograph.server.openapi.page import CONTENT_SECURITY_POLICY, page
from heliograph.server.services import Services

_HEADERS = {"Cache-Control": "no-cache"}


def routes(services: Services, endpoints: Sequence[Endpoint]) -> list[Route]:
    """Both addresses. What they say is made once, when it is first asked for, and beside the event loop."""

    @functools.cache
    def made() -> tuple[bytes, bytes]:
        found = document(endpoints, services.public_url)
        return msgspec.json.encode(found), page(found).encode()

    async def for_programs(_request: Request) -> Response:
        content, _ = await asyncio.to_thread(made)
        return Response(content, headers=_HEADERS, media_type=answers.JSON)

    async def for_people(_request: Request) -> Response:
        headers = {**_HEADERS, "Content-Security-Policy": CONTENT_SECURITY_POLICY}
        _, content = await asyncio.to_thread(made)
        return Response(content, headers=headers, media_type="text/html")

    return [Route("/api/openapi.json", for_programs), Route("/api/docs", for_people)]
