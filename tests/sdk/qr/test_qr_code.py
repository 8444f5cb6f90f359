"""What a drawn code looks like to an independent reader."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from heliograph.errors import HeliographError, PayloadTooLarge, ProfileInvalid, RequestInvalid
from heliograph.sdk.qr_code import LOGO_MAX_SHARE, QrCode, read_logo

TEXT = f"HG1.{'Ab-_' * 10}abc.{'Zy_-' * 10}xyz.chat.example:8443"
RED = (200, 0, 0)


def picture(size: tuple[int, int] = (300, 300), kind: str = "PNG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, RED if mode == "RGB" else 1).save(out, kind)
    return out.getvalue()


def read(image: Image.Image) -> str | None:
    found = zxingcpp.read_barcode(image)
    return None if found is None else found.text


@pytest.mark.parametrize("scale", [2, 4, 8, 13])
@pytest.mark.parametrize("size", [None, (300, 300), (600, 100), (10, 400), (16, 16)])
async def test_a_code_is_read_back_at_any_scale_with_any_logo(scale: int, size: tuple[int, int] | None) -> None:
    logo = None if size is None else await read_logo(picture(size))
    image = Image.open(io.BytesIO(QrCode(TEXT, "BCDFGHJK", 60, logo).png(scale)))
    assert read(image) == TEXT


@pytest.mark.parametrize("angle", [0, 7, 45, 180])
@pytest.mark.parametrize("blur", [0, 2])
async def test_a_code_with_a_logo_is_read_blurred_and_turned(angle: int, blur: int) -> None:
    code = QrCode(TEXT, "BCDFGHJK", 60, await read_logo(picture()))
    image = Image.open(io.BytesIO(code.png(8))).convert("L")
    seen = image.rotate(angle, expand=True, fillcolor=255).filter(ImageFilter.GaussianBlur(blur))
    assert read(seen) == TEXT


async def test_a_logo_takes_at_most_a_quarter_of_the_width() -> None:
    code = QrCode(TEXT, "BCDFGHJK", 60, await read_logo(picture((900, 900))))
    image = Image.open(io.BytesIO(code.png(10)))
    red = [x for x in range(image.width) if image.getpixel((x, image.height // 2)) == RED]
    modules_px = image.width - 2 * 4 * 10
    assert 0.2 * modules_px < len(red) <= LOGO_MAX_SHARE * modules_px
    assert abs((red[0] + red[-1]) / 2 - image.width / 2) < 10


async def test_an_svg_is_whole_and_carries_the_logo() -> None:
    plain, with_logo = (QrCode(TEXT, "BCDFGHJK", 60, logo).svg() for logo in (None, await read_logo(picture())))
    assert re.fullmatch(r"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=.*</svg>", plain, re.DOTALL)
    assert "<image" not in plain
    assert with_logo.count("<image") == 1
    assert with_logo.endswith("</svg>")


def test_a_terminal_shows_the_code_and_the_letters() -> None:
    shown = QrCode(TEXT, "BCDFGHJK", 60).terminal()
    assert shown.endswith("\nBCDF-GHJK\n")
    rows = [line for line in shown.splitlines() if set(line) <= set(" █▀▄") and line]
    image = Image.new("L", (len(rows[0]), 2 * len(rows)), 0)
    for y, row in enumerate(rows):
        for x, character in enumerate(row):
            image.putpixel((x, 2 * y), 255 if character in "█▀" else 0)
            image.putpixel((x, 2 * y + 1), 255 if character in "█▄" else 0)
    assert read(image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST)) == TEXT


def test_a_code_is_in_no_representation() -> None:
    assert repr(QrCode(TEXT, "BCDFGHJK", 60)) == "QrCode(…)"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_logo_may_be_any_of_four_kinds(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "logo"
    path.write_bytes(picture(kind=kind))
    for form in (path, str(path), picture(kind=kind), io.BytesIO(picture(kind=kind))):
        assert await read_logo(form)


async def test_no_logo_is_none() -> None:
    assert await read_logo(None) is None
    assert await read_logo("") is None


@pytest.mark.parametrize(
    ("logo", "error"),
    [
        (b"no picture", RequestInvalid),
        (picture(kind="BMP"), RequestInvalid),
        (picture((2001, 2001), mode="1"), RequestInvalid),
        (b"x" * (1024 * 1024 + 1), PayloadTooLarge),
        ("https://chat.example/logo.png", RequestInvalid),
        ("no such file", ProfileInvalid),
    ],
)
async def test_what_is_no_logo_is_refused(logo: str | bytes, error: type[HeliographError]) -> None:
    with pytest.raises(error):
        await read_logo(logo)
