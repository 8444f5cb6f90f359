"""The public HTTP API, called with a licence key: bodies in and out as `wire` has them, errors as `errors` has them."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from heliograph import wire
from heliograph.errors import HeliographError, LicenseInvalid, RequestInvalid, TimedOut, Unreachable, error_from_body
from heliograph.sdk.response import Response

PREFIX = "/api/v1"

_CONNECT_TIMEOUT_S = 10.0
_ANSWER_TIMEOUT_S = 30.0
_CHUNK_BYTES = 64 * 1024
_HEADER_VALUE = re.compile(r"[!-~]+")

Kind = TypeVar("Kind")

ProgressCallback = Callable[[int, int], None]
"""Gets the bytes sent so far and the bytes in all."""


class Upload:
    """A file as the body of a request; it can be sent more than once.

    Args:
        data: the file.
        on_progress: is told how far the sending is.
    """

    def __init__(self, data: bytes, on_progress: ProgressCallback | None = None) -> None:
        self.size = len(data)
        self._data = data
        self._on_progress = on_progress

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file in pieces."""
        for start in range(0, self.size, _CHUNK_BYTES):
            chunk = self._data[start : start + _CHUNK_BYTES]
            yield chunk
            if self._on_progress is not None:
                self._on_progress(start + len(chunk), self.size)


class Api:
    """One server's API, for one licence key.

    Args:
        base_url: such as `https://chat.example`; with or without `/api/v1` behind it.
        license_key: goes along with every call.
        context: what TLS trusts.
        transport: how requests are sent; `None` for over the network.

    Attributes:
        license_key: as given.

    Raises:
        RequestInvalid: the base URL is none of http or https.
        LicenseInvalid: the key cannot be one.
    """

    def __init__(
        self,
        base_url: str,
        license_key: str,
        context: ssl.SSLContext,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not _HEADER_VALUE.fullmatch(license_key):
            raise LicenseInvalid
        self.license_key = license_key
        self._http = httpx.AsyncClient(
            base_url=_base(base_url),
            headers={"Heliograph-Key": license_key, "Accept": "application/json"},
            timeout=httpx.Timeout(_ANSWER_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
            verify=context,
            transport=transport,
        )

    async def call(
        self,
        method: str,
        path: str,
        kind: type[Kind],
        body: wire.Request | Upload | None = None,
        *,
        bearer: str | None = None,
        idempotency_key: str | None = None,
    ) -> Response[Kind]:
        """One call.

        Args:
            method: the HTTP method.
            path: below `/api/v1`, with `segment` made of what is not constant.
            kind: what the answer's data is; `NoneType` where there is none.
            body: what to send.
            bearer: an access token, or an identity assertion.
            idempotency_key: marks a registration, so that it can be repeated.

        Raises:
            Unreachable: the server could not be reached, or something else answered in its place.
            TimedOut: it did not answer in time.
            HeliographError: what the server has to say against the call.
        """
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = _visible(idempotency_key)
        content: bytes | AsyncIterator[bytes] | None = None
        if isinstance(body, Upload):
            content = body.chunks()
            headers |= {"Content-Type": "application/octet-stream", "Content-Length": str(body.size)}
        elif body is not None:
            content = wire.encode(body)
            headers["Content-Type"] = "application/json"
        try:
            answer = await self._http.request(method, path, content=content, headers=headers)
        except httpx.TimeoutException:
            raise TimedOut from None
        except httpx.TransportError as error:
            raise Unreachable(f"The server cannot be reached: {error}") from error
        if answer.is_success:
            return _read(answer.content, kind)
        raise _error(answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def segment(text: str) -> str:
    """A text as one segment of a path (RFC 3986, section 3.3).

    Raises:
        RequestInvalid: it is empty, or means another place than itself.
    """
    if text in ("", ".", ".."):
        raise RequestInvalid(f"There is nothing called {text!r}")
    return quote(text, safe="@")


def _visible(key: str) -> str:
    if not _HEADER_VALUE.fullmatch(key):
        raise RequestInvalid("An idempotency key has visible ASCII characters", details={"field": "idempotency_key"})
    return key


def _base(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise RequestInvalid("api_base_url is an http or https URL", details={"field": "api_base_url"})
    return url.rstrip("/").removesuffix(PREFIX) + PREFIX


def _read(content: bytes, kind: type[Kind]) -> Response[Kind]:
    try:
        answer = msgspec.json.decode(content, type=wire.Answer[msgspec.Raw])
        data = msgspec.json.decode(answer.data if isinstance(answer.data, msgspec.Raw) else b"null", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unreachable("What answers there does not speak Heliograph's API") from None
    return Response(answer.status_code, answer.message, data)


def _error(answer: httpx.Response) -> HeliographError:
    try:
        body: Any = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict) or "code" not in body:  # a proxy's own page, or another server altogether
        return Unreachable(f"The server answered with HTTP status {answer.status_code}")
    return error_from_body(answer.status_code, body, _retry_after_s(answer.headers.get("Retry-After")))


def _retry_after_s(value: str | None) -> float | None:
    """The delay of `Retry-After` (RFC 9110, section 10.2.3), where it is one in seconds."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else None
