"""Read request bodies with bounds on bytes and time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from heliograph.core import limits
from heliograph.errors import MediaBusy, PayloadTooLarge, RequestInvalid

BODY_TIMEOUT_S = 30.0
UPLOAD_TIMEOUT_S = 120.0
UPLOADS_RETRY_AFTER_S = 5.0
FORM_OVERHEAD_MAX_BYTES = 16 * 1024
"""How much a multipart form may hold beside its file."""
FORM_FIELDS_MAX = 4


class Uploads:
    """Counts the uploads that are being read: each may take as much memory as the largest picture.

    Args:
        max_at_once: how many these may be.
    """

    def __init__(self, max_at_once: int = limits.UPLOADS_MAX) -> None:
        self._max_at_once = max_at_once
        self._by_user = Counter[str]()

    @contextmanager
    def one(self, jid: str) -> Iterator[None]:
        """Count an upload of a user while the context lasts.

        Raises:
            MediaBusy: as many are being read as may, of all or of this user.
        """
        if self._by_user.total() >= self._max_at_once or self._by_user[jid] >= limits.UPLOADS_PER_ACCOUNT_MAX:
            raise MediaBusy(retry_after_s=UPLOADS_RETRY_AFTER_S)
        self._by_user[jid] += 1
        try:
            yield
        finally:
            self._by_user[jid] -= 1
            if not self._by_user[jid]:
                del self._by_user[jid]


async def read(request: Request, max_bytes: int, timeout_s: float = BODY_TIMEOUT_S) -> bytes:
    """The whole body.

    Raises:
        PayloadTooLarge: it is larger; no more than `max_bytes` and one chunk were kept.
        RequestInvalid: it did not come in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return b"".join([chunk async for chunk in _chunks(request, max_bytes)])
    except TimeoutError:
        raise RequestInvalid("The body did not come in time") from None


async def read_upload(request: Request, max_bytes: int) -> bytes:
    """The uploaded file: the body as it is, or the only file of a `multipart/form-data` form (RFC 7578).

    Raises:
        PayloadTooLarge: the file is larger than `max_bytes`.
        RequestInvalid: the form is malformed or has not exactly one file, or it did not come in time.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        return await read(request, max_bytes, UPLOAD_TIMEOUT_S)
    try:
        async with asyncio.timeout(UPLOAD_TIMEOUT_S):
            data = await _read_form(request, max_bytes + FORM_OVERHEAD_MAX_BYTES)
    except TimeoutError:
        raise RequestInvalid("The body did not come in time") from None
    except MultiPartException:
        raise RequestInvalid("The form is malformed or has more than one file") from None
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data


async def _read_form(request: Request, max_bytes: int) -> bytes:
    parser = MultiPartParser(
        request.headers,
        _chunks(request, max_bytes),
        max_files=1,
        max_fields=FORM_FIELDS_MAX,
        max_part_size=FORM_OVERHEAD_MAX_BYTES,
    )
    form = await parser.parse()
    try:
        for _, value in form.multi_items():
            if isinstance(value, UploadFile):
                return await value.read()
    finally:
        await form.close()
    raise RequestInvalid("The form has no file")


async def _chunks(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes. What counts is what was read, not what `Content-Length` says."""
    size, is_more = 0, True
    while is_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, is_more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


def _too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request has more than {max_bytes} bytes", details={"maxBytes": max_bytes})
