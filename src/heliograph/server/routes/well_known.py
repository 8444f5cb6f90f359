"""How an XMPP client that knows only the domain finds the WebSocket (XEP-0156, RFC 6415)."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph import wire
from heliograph.server import answers
from heliograph.server.services import Services

WEBSOCKET_RELATION = "urn:xmpp:alt-connections:websocket"
_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
"""XEP-0156, section 3.2: web pages of any origin may read it."""


def routes(services: Services) -> list[Route]:
    """`/.well-known/host-meta` in both of its forms."""
    url = services.clients.websocket_url
    links = wire.encode({"links": [{"rel": WEBSOCKET_RELATION, "href": url}]})
    xrd = (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>"
        f"<Link rel={quoteattr(WEBSOCKET_RELATION)} href={quoteattr(url)}/>"
        "</XRD>\n"
    )

    async def xml(_request: Request) -> Response:
        return Response(xrd, headers=_HEADERS, media_type="application/xrd+xml")

    async def json(_request: Request) -> Response:
        return Response(links, headers=_HEADERS, media_type=answers.JSON)

    return [Route("/.well-known/host-meta", xml), Route("/.well-known/host-meta.json", json)]
