"""Upload pictures, and serve them to whoever knows their address."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph import wire
from heliograph.core import limits, media
from heliograph.errors import RouteNotFound
from heliograph.server.endpoints import NoBody, UserCall, by_token
from heliograph.server.reading import read_upload
from heliograph.server.services import Services

_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""The name is made of the content, so what is behind it never changes. What users upload runs nothing."""


async def upload(call: UserCall[NoBody]) -> wire.MediaBody:
    """`POST /media`: store a picture, sent as the body or as the one file of a form."""
    await media.check_rate(call.ports, call.jid)
    picture = await media.store(call.ports, await read_upload(call.request, limits.IMAGE_MAX_BYTES))
    return wire.MediaBody(
        file_token=picture.name,
        image=call.services.media_url(picture.name),
        mime_type=picture.mime_type,
        size=picture.size,
    )


def files(services: Services) -> list[Route]:
    """`GET /media/{name}`: a stored file, to be kept by caches for good."""

    async def file(request: Request) -> Response:
        found = await media.fetch(services.ports, request.path_params["name"])
        if found is None:
            raise RouteNotFound
        picture, data = found
        etag = f'"{picture.sha256}"'
        headers = {**_HEADERS, "ETag": etag}
        if _is_known(request, etag):
            return Response(status_code=304, headers=headers)
        return Response(data, headers=headers, media_type=picture.mime_type)

    return [Route("/media/{name}", file)]


def _is_known(request: Request, etag: str) -> bool:
    """Whether the client has the file already (RFC 9110, section 13.1.2; the comparison is the weak one)."""
    listed = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag in listed or listed == ["*"]


ENDPOINTS = (by_token("POST", "/media", NoBody, upload),)
