"""Upload pictures, and serve them to whoever knows their address."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""The name is made of the content, so what is behind it never changes. What users upload runs nothing."""
_ZERO_WEIGHT = re.compile(r"q\s*=\s*0(\.0{0,3})?")


async def upload(call: UserCall[NoBody]) -> wire.MediaBody:
    """`POST /media`: store a picture, sent as the body or as the one file of a form."""
    await media.check_rate(call.ports, call.jid)
    with call.services.uploads.one(call.jid):
        picture = await media.store(call.ports, await read_upload(call.request, limits.IMAGE_MAX_BYTES))
    return wire.MediaBody(
        file_token=picture.token,
        file_token_thumb=picture.thumbnail,
        image=call.ports.media.url(picture.token),
        thumb_image=call.ports.media.url(picture.thumbnail),
        mime_type=media.MIME_TYPES[media.MAIN.ending],
        size=picture.size,
        width=picture.width,
        height=picture.height,
    )


def files(services: Services) -> list[Route]:
    """`GET /media/{name}`: a stored picture, to be kept by caches for good."""

    async def file(request: Request) -> Response:
        accepted = request.headers.getlist("Accept")
        found = await media.serve(services.ports, request.path_params["name"], takes_webp=_takes_webp(accepted))
        if found is None:
            raise RouteNotFound
        etag = f'"{found.name}"'
        headers = {**_HEADERS, "ETag": etag, **({"Vary": "Accept"} if found.is_negotiated else {})}
        if _is_known(request, etag):
            return Response(status_code=304, headers=headers)
        return Response(found.data, headers=headers, media_type=found.mime_type)

    return [Route("/media/{name}", file)]


def _takes_webp(accepted: Sequence[str]) -> bool:
    """Whether a client names WebP among what it takes (RFC 9110, section 12.5.1); one that takes anything may not know
    it.
    """
    for entry in ",".join(accepted).split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        if kind == "image/webp":
            return not any(_ZERO_WEIGHT.fullmatch(parameter) for parameter in parameters)
    return False


def _is_known(request: Request, etag: str) -> bool:
    """Whether the client has the file already (RFC 9110, section 13.1.2; the comparison is the weak one)."""
    listed = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag in listed or listed == ["*"]


ENDPOINTS = (by_token("POST", "/media", NoBody, upload),)
