"""A program that makes renditions of one picture after the other, and nothing else of this package.

It is run by its path, in a process of its own, since decoders are where hostile files do harm: with little memory, no
file to write, no environment, no network that it knows of. It loads Pillow and the standard library only. On its
standard input come pictures, on its standard output go renditions, each as a length (4 bytes) and so many bytes; what
the renditions are is in `heliograph.media.images`, which is at the other end.

Arguments: the largest address space in bytes, the processor time for one picture in seconds, the most pixels, and for
each rendition its name, its longest side in pixels and its format (`96:jpg`).
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import warnings
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from PIL import GifImagePlugin, Image, ImageCms, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

FORMATS = ("GIF", "JPEG", "PNG", "WEBP")
DECODERS = (GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
"""Loaded at the start, while there is memory."""
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
"""What decoders raise at damaged files. Anything else ends this process, and so the picture is refused all the same."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the value of EXIF's orientation, how the picture is turned so that it stands upright."""
_SAVED_AS: dict[str, dict[str, object]] = {
    "jpg": {"format": "JPEG", "quality": 85, "optimize": True, "progressive": True},
    "webp": {"format": "WEBP", "quality": 82, "method": 4},
    "png": {"format": "PNG", "optimize": True},
}
_UPPER_HALVES = [value >> 8 for value in range(65_536)]
_LENGTH = struct.Struct(">I")


class Rendition(NamedTuple):
    """A form to make: its longest side in pixels, and `jpg`, `webp` or `png`."""

    side: int
    ending: str


class Refused(Exception):
    """The picture is refused; the argument is `damaged`, `pixels` or `costly`."""


def renditions(data: bytes, wanted: Sequence[Rendition], max_pixels: int) -> list[tuple[int, int, bytes]]:
    """Width, height and content of each wanted rendition.

    The first frame counts; it stands upright, in sRGB, with nothing of the file but its pixels.

    Raises:
        Refused: the picture is damaged, too large, or takes too much memory.
    """
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = max_pixels
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        largest = _decode(data, max(rendition.side for rendition in wanted), max_pixels)
        return [_save(largest, rendition) for rendition in wanted]
    except MemoryError:
        raise Refused("costly") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused("pixels") from None
    except DAMAGED:
        raise Refused("damaged") from None


def _decode(data: bytes, side: int, max_pixels: int) -> Image.Image:
    """The picture no larger than needed, upright, `RGB` or `RGBA`, without anything beside its pixels."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        if opened.width * opened.height > max_pixels:
            raise Refused("pixels")
        orientation = _orientation(opened)
        profile = opened.info.get("icc_profile")
        opened.draft(None, (side, side))  # a JPEG can be decoded at a part of its size
        opened.load()
        image = _to_srgb(_shrink(_plain(opened), side), profile)
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    image.info.clear()
    return image


def _orientation(image: Image.Image) -> int:
    with suppress(*DAMAGED):  # a damaged note beside the picture is no reason to refuse it
        return int(image.getexif().get(_ORIENTATION, 1))
    return 1


def _plain(image: Image.Image) -> Image.Image:
    """The picture in a mode that can be resized: `RGB`, `RGBA` or `CMYK`."""
    if image.mode.startswith("I"):  # 16 bits a pixel, of which the upper half is kept
        return image.convert("I").point(_UPPER_HALVES, "L").convert("RGB")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("RGB", "CMYK") else image.convert("RGB")


def _shrink(image: Image.Image, side: int) -> Image.Image:
    """The picture with a longest side of at most so many pixels, and a shorter one of at least one."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """The picture in sRGB; a colour profile that makes no sense is left aside."""
    if isinstance(profile, bytes) and profile:
        with suppress(ImageCms.PyCMSError, *DAMAGED):
            alpha = image.getchannel("A") if image.mode == "RGBA" else None
            source = image.convert("RGB") if alpha else image
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = _converted(source, given, alpha)
    return image.convert("RGB") if image.mode == "CMYK" else image


def _converted(source: Image.Image, given: ImageCms.ImageCmsProfile, alpha: Image.Image | None) -> Image.Image:
    converted = ImageCms.profileToProfile(source, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    if converted is None:
        raise ValueError("no conversion")
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _save(image: Image.Image, rendition: Rendition) -> tuple[int, int, bytes]:
    image = _shrink(image, rendition.side)
    if rendition.ending == "jpg" and image.mode == "RGBA":  # JPEG has no transparency: it stands on white
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    file = io.BytesIO()
    image.save(file, **_SAVED_AS[rendition.ending])  # type: ignore[arg-type]
    return image.width, image.height, file.getvalue()


# ---------------------------------------------------------------------------------------------------------- the program


def answer(data: bytes, wanted: Sequence[Rendition], max_pixels: int) -> list[bytes]:
    """What is sent back for a picture: a JSON object, then the contents of the renditions.

    The object is `{"refused": reason}` and nothing follows, or `{"sizes": [[width, height], ...]}`.
    """
    try:
        made = renditions(data, wanted, max_pixels)
    except Refused as refused:
        return [json.dumps({"refused": refused.args[0]}).encode()]
    return [json.dumps({"sizes": [size[:2] for size in made]}).encode(), *(content for *_, content in made)]


def confine(max_memory_bytes: int) -> None:
    """Give up for good what decoding does not need: memory, files to write, further processes."""
    bounds = {resource.RLIMIT_AS: max_memory_bytes, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    for kind, bound in bounds.items():
        with suppress(ValueError, OSError):  # a system may not know the limit, or keep a lower one
            resource.setrlimit(kind, (bound, bound))


def allow_seconds(seconds: int) -> None:
    """End this process by a signal if it uses more processor time from now on: also where nobody watches any longer."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    bound = int(used) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (bound if most == resource.RLIM_INFINITY else min(bound, most), most))


def receive(file: BinaryIO) -> bytes | None:
    """The next message; `None` where the other end is gone."""
    header = file.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(header)
    data = file.read(size)
    return data if len(data) == size else None


def main() -> None:
    """Answer pictures until the other end is gone."""
    max_memory_bytes, max_seconds, max_pixels = map(int, sys.argv[1:4])
    wanted = [Rendition(int(side), ending) for side, _, ending in (text.partition(":") for text in sys.argv[4:])]
    confine(max_memory_bytes)
    while (data := receive(sys.stdin.buffer)) is not None:
        allow_seconds(max_seconds)
        for part in answer(data, wanted, max_pixels):
            sys.stdout.buffer.write(_LENGTH.pack(len(part)) + part)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
