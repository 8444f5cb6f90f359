"""Uploaded pictures: which files are taken, how they are named, and how many."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import limits, rate_limits
from heliograph.core.rate_limits import Draw, Rate
from heliograph.errors import MediaUnsupported, PayloadTooLarge

if TYPE_CHECKING:
    from heliograph.core.ports import Ports

UPLOADS_PER_ACCOUNT = Rate(per_minute=10, burst=30)
"""Uploads by one user, whatever the device."""

MIME_TYPES = {"gif": "image/gif", "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
"""The taken types, by the ending of the stored name."""

_SIGNATURES = {
    "gif": re.compile(rb"GIF8[79]a"),
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
_NAME = re.compile(rf"([0-9a-f]{{64}})\.({'|'.join(MIME_TYPES)})")


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored file.

    Attributes:
        name: the SHA-256 of the content in hexadecimal, a dot and the ending of the type; also its `fileToken`.
        size: in bytes.
    """

    name: str
    size: int

    @property
    def mime_type(self) -> str:
        """What its content is."""
        return MIME_TYPES[self.name.rpartition(".")[2]]

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content, in hexadecimal."""
        return self.name.partition(".")[0]


def is_name(text: str) -> bool:
    """Whether a text has the form of a stored file's name, and so of a `fileToken`."""
    return _NAME.fullmatch(text) is not None


def identify(data: bytes) -> Picture:
    """Name a file by its content; what its sender calls it does not count.

    Raises:
        MediaUnsupported: it does not begin as a PNG, JPEG, WebP or GIF does.
    """
    for ending, signature in _SIGNATURES.items():
        if signature.match(data):
            return Picture(f"{hashlib.sha256(data).hexdigest()}.{ending}", len(data))
    raise MediaUnsupported


async def check_rate(ports: Ports, jid: str) -> None:
    """Count one upload by a user, before its body is read.

    Raises:
        RateLimited: the user uploads too much.
    """
    await rate_limits.check(ports, Draw(f"upload:account:{jid}", UPLOADS_PER_ACCOUNT))


async def store(ports: Ports, data: bytes) -> Picture:
    """Store a picture; one that is there already is not stored twice.

    Raises:
        PayloadTooLarge: it is larger than 10 MiB.
        MediaUnsupported: it is none of the accepted types.
    """
    if len(data) > limits.IMAGE_MAX_BYTES:
        raise PayloadTooLarge("A picture has at most 10 MiB", details={"maxBytes": limits.IMAGE_MAX_BYTES})
    picture = identify(data)
    await ports.media.put(picture.name, data)
    return picture


async def fetch(ports: Ports, name: str) -> tuple[Picture, bytes] | None:
    """A stored picture with its content; `None` where there is none of that name."""
    if not is_name(name):
        return None
    data = await ports.media.get(name)
    return None if data is None else (Picture(name, len(data)), data)
