"""Type and size of a picture out of its first bytes, before anything decodes it."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from heliograph.core import image_headers, limits
from heliograph.core.image_headers import ImageHeader
from heliograph.errors import HeliographError, ImageInvalid, ImageTooManyPixels, MediaUnsupported


def encoded(kind: str, size: tuple[int, int], mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)


def gif(canvas: tuple[int, int], frame: tuple[int, int, int, int]) -> bytes:
    comment = b"!\xfe\x03abc\x02de\0"
    return (
        b"GIF89a" + struct.pack("<HH", *canvas) + b"\x80\0\0" + bytes(6) + comment + b"," + struct.pack("<4H", *frame)
    )


def webp(chunk: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + chunk.ljust(18, b"\0")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (encoded("PNG", (70, 30)), "png"),
        (encoded("PNG", (70, 30), "P"), "png"),
        (encoded("JPEG", (70, 30)), "jpeg"),
        (encoded("JPEG", (70, 30), progressive=True, comment=b"\xff\xc0" * 99), "jpeg"),
        (encoded("JPEG", (70, 30), "CMYK"), "jpeg"),
        (encoded("GIF", (70, 30), "P"), "gif"),
        (encoded("GIF", (70, 30), "P", comment=b"c" * 999), "gif"),
        (encoded("WEBP", (70, 30)), "webp"),
        (encoded("WEBP", (70, 30), lossless=True), "webp"),
        (encoded("WEBP", (70, 30), "RGBA", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"), "webp"),
    ],
)
def test_every_kind_says_its_size(data: bytes, kind: str) -> None:
    assert image_headers.read(data) == ImageHeader(kind, 70, 30)


@pytest.mark.parametrize(
    "data",
    [
        png(8000, 5001),
        png(2**31 - 1, 2**31 - 1),
        gif((65535, 65535), (0, 0, 1, 1)),
        gif((1, 1), (0, 0, 65535, 65535)),
        gif((1, 1), (60000, 60000, 10, 10)),
        webp(b"VP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff"),
        webp(b"VP8L\0\0\0\0\x2f\xff\xff\xff\x0f"),
        webp(b"VP8 \0\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f"),
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03" + bytes(9) + b"\xff\xda\0\x02",
        # a small frame header after a giant one: the larger one counts
        b"\xff\xd8\xff\xc0\0\x08\x08\xff\xff\xff\xff\0\xff\xc0\0\x08\x08\0\1\0\1\0\xff\xda\0\x02",
    ],
)
def test_a_picture_of_too_many_pixels_is_refused_unread(data: bytes) -> None:
    with pytest.raises(ImageTooManyPixels) as refused:
        image_headers.read(data)
    assert refused.value.details["pixels"] > refused.value.details["maxPixels"] == 40_000_000


def test_forty_megapixels_are_taken() -> None:
    assert image_headers.read(png(8000, 5000)).width == 8000
    assert image_headers.read(png(limits.IMAGE_MAX_PIXELS, 1)).height == 1


@pytest.mark.parametrize(
    "data",
    [
        png(0, 5),
        png(5, 0),
        png(5, 5)[:20],
        b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>",
        b"GIF89a/*" + b"\0" * 3,
        gif((5, 5), (0, 0, 5, 5))[:-4],
        gif((5, 5), (0, 0, 5, 5)).replace(b",", b";"),
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\xff\xd8\xff\xe0\0\0" * 9,
        b"\xff\xd8\xff\xda\0\x02",
        webp(b"VP8 "),
        webp(b"ALPH"),
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_a_header_without_a_size_is_damaged(data: bytes) -> None:
    with pytest.raises(ImageInvalid):
        image_headers.read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"\xff\xd8",
        b"GIF88a",
        b"RIFF\n\n\n\nWAVE",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"<!DOCTYPE html><html></html>",
        b"\n" + encoded("PNG", (2, 2)),
        b"<!--" + encoded("GIF", (2, 2), "P"),
        encoded("BMP", (2, 2)),
        encoded("TIFF", (2, 2)),
        encoded("ICO", (16, 16)),
        b"%PDF-1.7",
        b"PK\3\4",
    ],
)
def test_anything_else_is_not_supported(data: bytes) -> None:
    with pytest.raises(MediaUnsupported):
        image_headers.read(data)


@given(st.sampled_from([png(9, 9), webp(b"VP8X"), b"GIF89a", b"\xff\xd8\xff"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(start: bytes, rest: bytes) -> None:
    try:
        found = image_headers.read(start + rest)
    except HeliographError:
        return
    assert 1 <= found.width * found.height <= limits.IMAGE_MAX_PIXELS
