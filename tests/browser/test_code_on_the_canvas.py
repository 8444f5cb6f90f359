"""The code on the canvas is read by a reader that is not ours: with any logo, at any size, blurred and askew."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageFilter
from playwright.sync_api import Page

CODE_TEXT = re.compile(r"HG1\.[\w-]{43}\.[\w-]{43}\.127\.0\.0\.1:\d+")


def svg(width: int, height: int, drawing: str) -> str:
    return f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>{drawing}</svg>"


LOGOS = {
    "none": None,
    "round": svg(64, 64, "<circle cx='32' cy='32' r='32'/>"),
    "black square": svg(90, 90, "<rect width='90' height='90'/>"),
    "wide": svg(400, 60, "<rect width='400' height='60' fill='#804'/>"),
    "tall and see-through": svg(20, 300, "<rect width='20' height='300' fill='#048' fill-opacity='0.5'/>"),
    "code-like": svg(70, 70, "<path d='M0 0h70v70H0zM10 10v50h50V10zM20 20h30v30H20z' fill-rule='evenodd'/>"),
}
SIZES_PX = (140, 264, 420)
RATIOS = (1, 1.5, 3)
SEEN_PX = 560
MODULES = 70
"""About as many as the code has in a row, with its quiet zone."""

DRAW = """async ([logo, size]) => {
  const { default: SDK } = await import(`${new URLSearchParams(location.search).get("node")}/sdk/heliograph.js`);
  const picture = logo === null ? null : new Image();
  if (picture !== null) {
    picture.src = `data:image/svg+xml,${encodeURIComponent(logo)}`;
    await picture.decode();
  }
  const { data } = await SDK.generateQrCode("canvas", picture, null, () => undefined, { size });
  const url = document.getElementById("canvas").toDataURL();
  data.cancel();
  return url;
}"""


@pytest.fixture(params=RATIOS, ids=lambda ratio: f"ratio {ratio}")
def page(request: pytest.FixtureRequest, vendor_page: Any) -> Page:
    opened: Page = vendor_page(device_scale_factor=request.param)
    return opened


def drawn(page: Page, logo: str | None, size: int) -> Image.Image:
    """The canvas's own pixels."""
    url: str = page.evaluate(DRAW, [logo, size])
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")


def read(picture: Image.Image) -> Any:
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return found[0] if found else None


def by_camera(picture: Image.Image, blur_modules: float = 0.0, degrees: float = 0.0) -> Image.Image:
    """The code as a camera sees it that has more pixels than the screen, is out of focus and held askew."""
    seen = picture.resize((SEEN_PX, SEEN_PX), Image.Resampling.BICUBIC)
    seen = seen.filter(ImageFilter.GaussianBlur(blur_modules * SEEN_PX / MODULES))
    return seen.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def test_the_code_is_read_with_every_logo_size_and_pixel_ratio(page: Page) -> None:
    unread = []
    for number, (name, logo) in enumerate(LOGOS.items()):
        size = SIZES_PX[number % len(SIZES_PX)]
        picture = drawn(page, logo, size)
        looks = {
            "as it is": picture,
            "blurred": by_camera(picture, blur_modules=0.45),
            "turned by 17 degrees": by_camera(picture, degrees=17),
            "blurred, turned by 200 degrees": by_camera(picture, blur_modules=0.4, degrees=200),
        }
        for look, seen in looks.items():
            found = read(seen)
            if found is None or CODE_TEXT.fullmatch(found.text) is None:
                unread.append((name, size, look))
            elif look == "as it is":
                assert found.ec_level == "H"
    assert unread == []
