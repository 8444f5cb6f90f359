"""What the first bytes of a picture say: its type and its size in pixels, read before anything decodes it.

PNG (ISO/IEC 15948), JPEG (ITU-T T.81), WebP (RFC 9649) and GIF (GIF89a). What a sender calls a file does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from heliograph.core import limits
from heliograph.errors import ImageInvalid, ImageTooManyPixels, MediaUnsupported

_SIGNATURES = {
    "gif": re.compile(rb"GIF8[79]a"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
_PNG_HEADER = re.compile(rb".{8}\x00\x00\x00\x0dIHDR(.{4})(.{4})", re.DOTALL)
_WEBP_LOSSY = re.compile(rb".{12}VP8 .{7}\x9d\x01\x2a(..)(..)", re.DOTALL)
_WEBP_LOSSLESS = re.compile(rb".{12}VP8L.{4}\x2f(.{4})", re.DOTALL)
_WEBP_EXTENDED = re.compile(rb".{12}VP8X.{8}(...)(...)", re.DOTALL)
_FRAME_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The JPEG markers of a frame header, SOF0 to SOF15."""
_BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
"""The JPEG markers without a length behind them."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a picture says of itself.

    Attributes:
        kind: `gif`, `jpeg`, `png` or `webp`.
        width, height: in pixels, of the whole picture; at least 1.
    """

    kind: str
    width: int
    height: int


def read(data: bytes) -> ImageHeader:
    """Read the header of a picture that is small enough to be decoded.

    Raises:
        MediaUnsupported: it does not begin as a PNG, JPEG, WebP or GIF does.
        ImageInvalid: it begins so, and does not say how large it is.
        ImageTooManyPixels: it has more than 40 megapixels.
    """
    kind = next((kind for kind, signature in _SIGNATURES.items() if signature.match(data)), None)
    if kind is None:
        raise MediaUnsupported
    width, height = _SIZES[kind](data)
    if not (width and height):
        raise ImageInvalid("The picture does not say how large it is")
    if width * height > limits.IMAGE_MAX_PIXELS:
        raise ImageTooManyPixels(details={"maxPixels": limits.IMAGE_MAX_PIXELS, "pixels": width * height})
    return ImageHeader(kind, width, height)


def _png(data: bytes) -> tuple[int, int]:
    found = _PNG_HEADER.match(data)
    return (0, 0) if found is None else (int.from_bytes(found[1]), int.from_bytes(found[2]))


def _webp(data: bytes) -> tuple[int, int]:
    if found := _WEBP_EXTENDED.match(data):
        return _little(found[1]) + 1, _little(found[2]) + 1
    if found := _WEBP_LOSSLESS.match(data):
        bits = _little(found[1])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if found := _WEBP_LOSSY.match(data):
        return _little(found[1]) & 0x3FFF, _little(found[2]) & 0x3FFF
    return 0, 0


def _gif(data: bytes) -> tuple[int, int]:
    """The canvas, or the first frame where that reaches beyond it."""
    if len(data) < 13:
        return 0, 0
    width, height = _little(data[6:8]), _little(data[8:10])
    at = 13 + _gif_palette(data[10])
    while data[at : at + 1] == b"!":
        at += 2
        while size := data[at : at + 1]:
            at += size[0] + 1
            if size == b"\0":
                break
    if data[at : at + 1] == b"," and len(data) >= at + 9:
        left, top, frame_width, frame_height = (_little(data[at + i : at + i + 2]) for i in (1, 3, 5, 7))
        return max(width, left + frame_width), max(height, top + frame_height)
    return 0, 0


def _gif_palette(flags: int) -> int:
    """The size of a palette in bytes."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """The largest size that a frame header before the first scan tells."""
    size, at = (0, 0), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:
            return size
        if marker in _BARE_MARKERS:
            at += 2
        elif marker == 0xFF:  # fill
            at += 1
        else:
            if marker in _FRAME_SIZES:
                height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
                size = max(size, (width, height), key=lambda known: known[0] * known[1])
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return 0, 0


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_SIZES: dict[str, Callable[[bytes], tuple[int, int]]] = {"gif": _gif, "jpeg": _jpeg, "png": _png, "webp": _webp}
