"""A QR code as an app may want it: PNG, SVG, text for a terminal, with a logo in its middle."""

from __future__ import annotations

import base64
import io

import segno
from PIL import Image, UnidentifiedImageError

from heliograph.errors import RequestInvalid
from heliograph.sdk.images import Image as Picture
from heliograph.sdk.images import read_image

LOGO_MAX_SHARE = 0.25
"""A logo's width and height as a part of the code's. A square of that size hides a sixteenth of the modules, where
error correction H restores up to 30 per cent of the codewords (ISO/IEC 18004)."""
LOGO_MAX_BYTES = 1024 * 1024
LOGO_MAX_PIXELS = 4_000_000
BORDER_MODULES = 4
"""The quiet zone that a reader needs (ISO/IEC 18004)."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_LOGO_SIDE_PX = 512
"""The longest side of a logo that is kept."""


class QrCode:
    """What an app draws, new at each refresh.

    Args:
        text: what the code holds.
        typed_code: the same for a phone without a camera: 8 letters, to be typed.
        expires_in: how many seconds it is valid.
        logo: a PNG for the middle, from `read_logo`.

    Attributes:
        text, typed_code, expires_in: as above.
    """

    def __init__(self, text: str, typed_code: str, expires_in: int, logo: bytes | None = None) -> None:
        self.text = text
        self.typed_code = typed_code
        self.expires_in = expires_in
        self._logo = logo
        self._code = segno.make(text, error="h", micro=False, boost_error=False)

    def __repr__(self) -> str:
        return "QrCode(…)"

    def png(self, scale: int = 8) -> bytes:
        """A PNG, black on white.

        Args:
            scale: pixels for each module.
        """
        written = io.BytesIO()
        self._code.save(written, kind="png", scale=scale, border=BORDER_MODULES)
        if self._logo is None:
            return written.getvalue()
        with (
            Image.open(written, formats=("PNG",)) as code,
            Image.open(io.BytesIO(self._logo), formats=("PNG",)) as logo,
        ):
            picture = code.convert("RGB")
            largest = int(self._modules * scale * LOGO_MAX_SHARE)
            shown = logo.convert("RGBA")
            shown.thumbnail((largest, largest), Image.Resampling.LANCZOS)
            place = ((picture.width - shown.width) // 2, (picture.height - shown.height) // 2)
            picture.paste(shown, place, shown)
        out = io.BytesIO()
        picture.save(out, "PNG")
        return out.getvalue()

    def svg(self) -> str:
        """An SVG without a size of its own, black on white."""
        side = self._modules + 2 * BORDER_MODULES
        written = io.BytesIO()
        self._code.save(
            written, kind="svg", border=BORDER_MODULES, light="#fff", omitsize=True, xmldecl=False, nl=False
        )
        drawing = written.getvalue().decode()
        if self._logo is None:
            return drawing
        largest = self._modules * LOGO_MAX_SHARE
        start = (side - largest) / 2
        data = base64.b64encode(self._logo).decode()
        logo = (
            f'<image x="{start:g}" y="{start:g}" width="{largest:g}" height="{largest:g}" '
            f'href="data:image/png;base64,{data}"/>'
        )
        return drawing.removesuffix("</svg>") + logo + "</svg>"

    def terminal(self) -> str:
        """Text for a terminal: two modules a character, and the typed code below. A logo has no place there, so the
        code needs less error correction and less room.
        """
        written = io.StringIO()
        segno.make(self.text, error="m", micro=False).terminal(written, border=BORDER_MODULES, compact=True)
        return f"{written.getvalue()}\n{self.typed_code[:4]}-{self.typed_code[4:]}\n"

    @property
    def _modules(self) -> int:
        return int(self._code.symbol_size(border=0)[0])


async def read_logo(logo: Picture | None) -> bytes | None:
    """A logo as a small PNG.

    Args:
        logo: a path, bytes, or a file open for reading, of a PNG, JPEG, WebP or GIF; `None` for none.

    Raises:
        RequestInvalid: it is no such picture, or too large.
        ProfileInvalid, PayloadTooLarge: see `read_image`.
    """
    data = None if logo is None else await read_image(logo, LOGO_MAX_BYTES)
    if data is None or data == "":
        return None
    if isinstance(data, str):
        raise _no_logo("A logo is a file, not a URL")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > LOGO_MAX_PIXELS:
                raise _no_logo("The logo has too many pixels")
            shown = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        raise _no_logo("The logo is no PNG, JPEG, WebP or GIF") from None
    shown.thumbnail((_LOGO_SIDE_PX, _LOGO_SIDE_PX), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def _no_logo(reason: str) -> RequestInvalid:
    return RequestInvalid(reason, details={"field": "logo"})
