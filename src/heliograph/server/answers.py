"""Answers in the form of `wire`: success and error."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import UNSET
from starlette.responses import Response

from heliograph import wire
from heliograph.errors import HeliographError

JSON = "application/json"


def success(data: object = None, message: str = "Success") -> Response:
    """`{statusCode, message, data?}`; `None` leaves `data` out."""
    answer = wire.Answer(message=message, data=UNSET if data is None else data)
    return Response(wire.encode(answer), media_type=JSON)


def failure(error: HeliographError, method: str, headers: Mapping[str, str] | None = None) -> Response:
    """`{statusCode, message, code, details?}`, with the headers that the status asks for.

    Args:
        error: what went wrong.
        method: the HTTP method of the request.
        headers: further headers.
    """
    response = Response(wire.encode(error.body()), error.status_code, headers, JSON)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status_code == 401:
        response.headers.setdefault("WWW-Authenticate", "Bearer")  # RFC 9110, section 15.5.2
    if error.status_code == 405:
        # RFC 9110, section 15.5.6. Of `session_limit`, whose status is the vendor's choice, the method is a good one.
        response.headers.setdefault("Allow", method)
    return response
