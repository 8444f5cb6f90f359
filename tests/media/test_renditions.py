"""What becomes of a picture: its forms, its colours, its place, and nothing else of the file."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageSequence
from PIL.PngImagePlugin import PngInfo

from heliograph.core.media import FORMS, Rendition
from heliograph.media.images import ImageWorkers

Encode = Callable[..., bytes]
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)
SECRET = "taken at 52.5 N 13.4 E"


def opened(rendition: Rendition) -> Image.Image:
    return Image.open(io.BytesIO(rendition.data))


def is_near(pixel: Any, color: tuple[int, ...], off: int = 24) -> bool:
    return all(abs(one - other) <= off for one, other in zip(pixel, color, strict=True))


def main(made: Any) -> Image.Image:
    return opened(made[-1]).convert("RGB")


async def test_a_picture_gets_its_forms(workers: ImageWorkers, encode: Encode, halves: Image.Image) -> None:
    made = await workers.render(encode(halves, "PNG"))
    seen = [(opened(rendition).format, opened(rendition).size) for rendition in made]
    assert [(rendition.width, rendition.height) for rendition in made] == [size for _, size in seen]
    assert seen == [
        ("PNG", (192, 128)),
        ("WEBP", (96, 64)),
        ("JPEG", (96, 64)),
        ("WEBP", (640, 427)),
        ("JPEG", (640, 427)),
    ]
    assert len(made) == len(FORMS)


async def test_a_small_picture_is_not_blown_up(workers: ImageWorkers, encode: Encode) -> None:
    made = await workers.render(encode(Image.new("RGB", (3, 5), "red"), "PNG"))
    assert {(rendition.width, rendition.height) for rendition in made} == {(3, 5)}


@pytest.mark.parametrize("size", [(1, 1), (4000, 1), (1, 4000)])
async def test_a_picture_of_any_shape_keeps_a_pixel(workers: ImageWorkers, encode: Encode, size: Any) -> None:
    made = await workers.render(encode(Image.new("RGB", size, "red"), "PNG"))
    assert all(min(opened(rendition).size) >= 1 for rendition in made)
    assert is_near(main(made).getpixel((0, 0)), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_stands_upright(
    workers: ImageWorkers, encode: Encode, halves: Image.Image, orientation: int, kind: str
) -> None:
    transposes = Image.Transpose
    back = {
        2: transposes.FLIP_LEFT_RIGHT,
        3: transposes.ROTATE_180,
        4: transposes.FLIP_TOP_BOTTOM,
        5: transposes.TRANSPOSE,
        6: transposes.ROTATE_90,
        7: transposes.TRANSVERSE,
        8: transposes.ROTATE_270,
    }
    held = halves.transpose(back[orientation]) if orientation in back else halves
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = main(await workers.render(encode(held, kind, exif=exif)))
    assert image.size == (640, 427)
    assert is_near(image.getpixel((320, 10)), GREEN)
    assert is_near(image.getpixel((100, 300)), RED)
    assert is_near(image.getpixel((540, 300)), BLUE)


async def test_all_that_is_not_a_pixel_is_gone(workers: ImageWorkers, encode: Encode, halves: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x010E] = exif[0x8298] = SECRET
    exif.get_ifd(0x8825)[1] = SECRET
    notes = PngInfo()
    notes.add_text("Comment", SECRET)
    notes.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{SECRET}</x:xmpmeta>")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = SECRET.encode()
    sent = [
        encode(halves, "JPEG", exif=exif, comment=SECRET, icc_profile=profile, xmp=xmp),
        encode(halves, "PNG", exif=exif, pnginfo=notes, icc_profile=profile),
        encode(halves, "WEBP", exif=exif, icc_profile=profile, xmp=xmp),
        encode(halves.quantize(), "GIF", comment=SECRET),
    ]
    for data in sent:
        for rendition in await workers.render(data + SECRET.encode()):
            assert SECRET.encode() not in rendition.data
            for mark in (b"Exif", b"EXIF", b"ICC_PROFILE", b"ICCP", b"iCCP", b"http://ns.adobe.com", b"XMP ", b"tEXt"):
                assert mark not in rendition.data
            assert not {"exif", "icc_profile", "comment", "xmp", "XML:com.adobe.xmp"} & set(opened(rendition).info)


async def test_a_colour_profile_is_carried_out(workers: ImageWorkers, encode: Encode) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    swapped = encode(Image.new("RGB", (9, 9), (200, 40, 40)), "PNG", icc_profile=_display_p3())
    plain = encode(Image.new("RGB", (9, 9), (200, 40, 40)), "PNG")
    wrong = encode(Image.new("RGB", (9, 9), (200, 40, 40)), "PNG", icc_profile=lab.tobytes())
    broken = encode(Image.new("RGB", (9, 9), (200, 40, 40)), "PNG", icc_profile=b"no profile")
    red, as_is, left, right = [
        main(await workers.render(data)).getpixel((4, 4)) for data in (swapped, plain, wrong, broken)
    ]
    assert is_near(as_is, (200, 40, 40), 4)
    assert red[0] > as_is[0] + 5  # the same number means a stronger red there
    assert left == right == as_is


def _display_p3() -> bytes:
    """sRGB's profile with the red primary of Display P3 (in the space of D50)."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(data[128:132]), 12):
        if data[at : at + 4] == b"rXYZ":
            start = int.from_bytes(data[at + 4 : at + 8])
            data[start + 8 : start + 20] = struct.pack(
                ">3i", *(round(value * 65536) for value in (0.5151, 0.2412, -0.001))
            )
    return bytes(data)


async def test_transparency_stays_and_stands_on_white_in_jpeg(workers: ImageWorkers, encode: Encode) -> None:
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 10, 20))
    palette = Image.new("P", (20, 20), 1)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.paste(0, (0, 0, 10, 20))
    for data in (
        encode(clear, "PNG"),
        encode(clear, "WEBP", lossless=True),
        encode(palette, "PNG", transparency=1),
        encode(palette, "GIF", transparency=1),
    ):
        made = await workers.render(data)
        assert is_near(main(made).getpixel((2, 10)), RED)
        assert is_near(main(made).getpixel((18, 10)), (255, 255, 255))
        for rendition in (made[0], made[1], made[3]):
            assert opened(rendition).convert("RGBA").getpixel((18, 10))[3] == 0  # type: ignore[index]
            assert is_near(opened(rendition).convert("RGBA").getpixel((2, 10)), (*RED, 255))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_every_mode_of_png_is_read(workers: ImageWorkers, encode: Encode, mode: str) -> None:
    ramp = Image.linear_gradient("L").resize((300, 300))
    sent = ramp.convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else ramp.convert(mode)
    image = main(await workers.render(encode(sent, "PNG")))
    for row in (20, 150, 280):
        below = image.resize((1, 300)).getpixel((0, row))
        if mode != "1":
            assert is_near(below, (ramp.getpixel((0, row)),) * 3, 12)  # type: ignore[arg-type]
    assert image.getpixel((0, 2)) < image.getpixel((0, 297))  # type: ignore[operator]


async def test_16_bits_a_channel_are_read(workers: ImageWorkers) -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 0xFFFF, 0x8000, 0x0100) * 4 for _ in range(4))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert is_near(main(await workers.render(data)).getpixel((2, 2)), (255, 128, 1), 6)


async def test_cmyk_becomes_rgb(workers: ImageWorkers, encode: Encode, halves: Image.Image) -> None:
    image = main(await workers.render(encode(halves.convert("CMYK"), "JPEG")))
    assert is_near(image.getpixel((100, 300)), RED)
    assert is_near(image.getpixel((540, 300)), BLUE)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_of_an_animation_the_first_frame_is_kept(workers: ImageWorkers, encode: Encode, kind: str) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue", "lime")]
    made = await workers.render(encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=50))
    assert is_near(main(made).getpixel((20, 20)), RED)
    assert all(len(list(ImageSequence.Iterator(opened(rendition)))) == 1 for rendition in made)


async def test_a_picture_that_came_out_goes_in_again_unchanged(
    workers: ImageWorkers, encode: Encode, halves: Image.Image
) -> None:
    made = await workers.render(encode(halves, "PNG"))
    assert (await workers.render(made[0].data))[0].data == made[0].data
