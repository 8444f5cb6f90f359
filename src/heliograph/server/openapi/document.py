"""The OpenAPI 3.1 document: endpoints are data already, so it only has to be written down."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_type_hints

import msgspec

from heliograph import wire
from heliograph.core import limits
from heliograph.errors import TABLE, HeliographError
from heliograph.server.endpoints import PREFIX, Endpoint, NoBody, Shown
from heliograph.server.openapi import schemas
from heliograph.server.openapi.examples import SAMPLES, example
from heliograph.server.openapi.refusals import errors_of
from heliograph.server.openapi.schemas import Schema

VERSION = "1"
"""Of the API; it is the one in its addresses."""

WHAT_TO_DO = {
    400: "Correct the call; the message says where.",
    401: "Send valid credentials: the key, the token or the password was missing, wrong or over.",
    403: "Do not repeat it: somebody with more rights has to change something first.",
    404: "Check the name or the id.",
    405: "The call is well formed, but not possible here as things stand; `details` says what stands in the way.",
    409: "Read the current state, then decide again.",
    410: "It is gone for good; do not ask again.",
    413: "Send less.",
    415: "Send one of the accepted types.",
    429: "Wait as long as `Retry-After` says.",
    500: "Report it with the `errorId` of `details`; try again later.",
    502: "The server that the call named did not do its part; check the address, and try again later.",
    503: "Try again later, each time after a longer wait. The SDK does so by itself.",
    504: "Try again later. The call may have had its effect.",
}
"""What a caller does about an error, by its HTTP status."""

_CALL = re.compile(r"`[A-Z]+ /[^`?]*\??(?P<query>[^`]*)`: (?P<text>.*)", re.DOTALL)
_QUERY: dict[str, Schema] = {
    "isTrial": {"type": "boolean"},
    "immediately": {"type": "boolean"},
    "limit": {"type": "integer", "minimum": 1, "maximum": limits.AUDIT_PAGE_MAX},
    "before": {"type": "integer", "minimum": 1},
}
"""The parameters of queries that are no text."""
_UPLOADS = ("/media",)
"""What takes a file rather than JSON."""


def document(endpoints: Sequence[Endpoint], server_url: str = "/") -> dict[str, Any]:
    """The whole document.

    Args:
        endpoints: all endpoints below `/api/v1`.
        server_url: where they are served.
    """
    known = schemas.components([*_bodies(endpoints), wire.ErrorBody])
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, known)
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "Heliograph",
            "version": VERSION,
            "summary": "Users, device sessions, tokens, profiles, contacts and QR sign-in.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": name} for name in dict.fromkeys(_noun(endpoint) for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": known,
            "responses": {"Error": _refusal(TABLE.values())},
            "examples": _error_examples(),
            "securitySchemes": _SECURITY,
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return plain


_SECURITY = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "Heliograph-Key",
        "description": "The app's publishable or secret key. It says which app, and live or sandbox.",
    },
    "secretKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Heliograph-Key",
        "description": "The app's secret key, which only its own backend has.",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "The access token of a session, `hgt_…`."},
}
_NEEDS: dict[Shown, list[dict[str, list[str]]]] = {
    Shown.KEY: [{"key": []}],
    Shown.SECRET_KEY: [{"secretKey": []}],
    Shown.TOKEN: [{"key": [], "token": []}],
}


def _bodies(endpoints: Iterable[Endpoint]) -> list[type[msgspec.Struct]]:
    """Every Struct that a call takes or gives."""
    found = [kind for each in endpoints for kind in (each.takes, gives(each))]
    return [kind for kind in dict.fromkeys(found) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]


def gives(endpoint: Endpoint) -> Any:
    """The type of the data of an endpoint's answer; `NoneType` where it has none."""
    return get_type_hints(endpoint.run)["return"]


def _module(endpoint: Endpoint) -> str:
    return endpoint.run.__module__.rpartition(".")[2]


def _noun(endpoint: Endpoint) -> str:
    return _module(endpoint).replace("_", " ")


def _told(endpoint: Endpoint) -> tuple[str, list[str]]:
    """What the route's docstring says of it, and the names of its query's parameters."""
    match = _CALL.match(" ".join((inspect.getdoc(endpoint.run) or "").split()))
    if match is None:
        return "", []
    text = match["text"]
    return text[:1].upper() + text[1:], [part.partition("=")[0] for part in match["query"].split("&") if part]


def _operation(endpoint: Endpoint, known: dict[str, Schema]) -> dict[str, Any]:
    text, query = _told(endpoint)
    operation = {
        "operationId": f"{_module(endpoint)}_{endpoint.run.__name__}",
        "tags": [_noun(endpoint)],
        "summary": text.partition(". ")[0].rstrip("."),
        "description": text,
        "security": _NEEDS[endpoint.shown],
        "parameters": _parameters(endpoint, query, text),
        "responses": _responses(endpoint, known),
    }
    body = _request_body(endpoint, known)
    return {name: value for name, value in {**operation, "requestBody": body}.items() if value}


def _parameters(endpoint: Endpoint, query: list[str], text: str) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}, **_sample(name)}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    in_query = [{"name": name, "in": "query", "schema": _QUERY.get(name, {"type": "string"})} for name in query]
    in_header = [
        {"name": name, "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 128}}
        for name in ("Idempotency-Key",)
        if name in text
    ]
    return [*in_path, *in_query, *in_header]


def _sample(name: str) -> dict[str, str]:
    return {"example": SAMPLES[name]} if name in SAMPLES else {}


def _request_body(endpoint: Endpoint, known: dict[str, Schema]) -> dict[str, Any] | None:
    if endpoint.path in _UPLOADS and endpoint.takes is NoBody:
        file = {"type": "string", "format": "binary"}
        form = {"schema": {"type": "object", "properties": {"file": file}, "required": ["file"]}}
        content = {"image/*": {"schema": file}, "multipart/form-data": form}
        return {"required": True, "content": content}
    if endpoint.takes is NoBody:
        return None
    schema = {"$ref": f"{schemas.PREFIX}{endpoint.takes.__name__}"}
    content = {"application/json": {"schema": schema, "example": example(schema, known)}}
    return {"required": not endpoint.is_body_optional, "content": content}


def _responses(endpoint: Endpoint, known: dict[str, Schema]) -> dict[str, Any]:
    by_status: dict[int, list[type[HeliographError]]] = {}
    for error in errors_of(endpoint):
        by_status.setdefault(error.row.status, []).append(error)
    refused = {str(status): _refusal(found) for status, found in sorted(by_status.items())}
    return {"200": _success(endpoint, known), **refused, "default": {"$ref": "#/components/responses/Error"}}


def _success(endpoint: Endpoint, known: dict[str, Schema]) -> dict[str, Any]:
    properties: dict[str, Schema] = {"statusCode": {"const": 200}, "message": {"type": "string"}}
    data = gives(endpoint)
    if isinstance(data, type) and issubclass(data, msgspec.Struct):
        properties["data"] = {"$ref": f"{schemas.PREFIX}{data.__name__}"}
    schema: Schema = {"type": "object", "properties": properties, "required": [*properties]}
    content = {"application/json": {"schema": schema, "example": example(schema, known)}}
    return {"description": "Success", "headers": _HEADERS, "content": content}


_HEADERS = {
    "X-Request-Id": {"description": "Names the call in the node's logs.", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "How many calls at once.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "How many of them are left.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until all of them are.", "schema": {"type": "integer"}},
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def _refusal(errors: Iterable[type[HeliographError]]) -> dict[str, Any]:
    codes = sorted(error.row.code for error in errors)
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    schema = {"$ref": f"{schemas.PREFIX}ErrorBody"}
    statuses = {TABLE[code].row.status for code in codes}
    text = WHAT_TO_DO[statuses.pop()] if len(statuses) == 1 else "Any other error; see its code."
    content = {"application/json": {"schema": schema, "examples": examples}}
    headers = {"headers": _RETRY_AFTER} if "rate_limited" in codes else {}
    return {"description": text, **headers, "content": content}


def _error_examples() -> dict[str, Any]:
    """One example for each code, with what it means and what to do."""
    return {
        code: {
            "summary": " ".join((inspect.getdoc(error) or "").split()),
            "description": WHAT_TO_DO[error.row.status],
            "value": error().body(),
        }
        for code, error in sorted(TABLE.items())
    }
