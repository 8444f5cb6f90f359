"""The picture of a profile, in any of the forms in which an app may have it."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import BinaryIO

from heliograph.errors import PayloadTooLarge, ProfileInvalid

Image = str | bytes | os.PathLike[str] | BinaryIO
"""A path, the bytes of a picture, a file open for reading, a URL, or the `fileToken` of an earlier response; `""` for
none.
"""

_URL = re.compile(r"https?://", re.IGNORECASE)
_FILE_TOKEN = re.compile(r"[0-9a-f]{64}(-[0-9]+)?(\.[a-z]{3,4})?")


async def read_image(image: Image, max_bytes: int) -> bytes | str:
    """The bytes to upload or, of a URL, a `fileToken` and `""`, the same text.

    Args:
        image: the picture.
        max_bytes: no more is read.

    Raises:
        ProfileInvalid: there is no such file, or it cannot be read.
        PayloadTooLarge: the picture is larger.
    """
    if isinstance(image, str) and (image == "" or _URL.match(image) or _FILE_TOKEN.fullmatch(image)):
        return image
    data = image if isinstance(image, bytes) else await asyncio.to_thread(_read, image, max_bytes + 1)
    if len(data) > max_bytes:
        raise PayloadTooLarge(f"A picture has at most {max_bytes} bytes", details={"maxBytes": max_bytes})
    return data


def _read(image: str | os.PathLike[str] | BinaryIO, max_bytes: int) -> bytes:
    try:
        if isinstance(image, str | os.PathLike):
            with Path(image).open("rb") as file:
                data = file.read(max_bytes)
        else:
            data = image.read(max_bytes)
    except (OSError, ValueError) as error:  # ValueError: the file is closed, or the path holds what no path may
        raise ProfileInvalid(f"The picture cannot be read: {error}", details={"field": "image"}) from error
    if not isinstance(data, bytes):
        raise ProfileInvalid("The picture's file is not open in binary mode", details={"field": "image"})
    return data
