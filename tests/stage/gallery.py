"""Looks at pages: axe-core on each state, and the pictures in docs/screens where they are wanted."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = ROOT / "docs" / "screens"
IS_PHOTOGRAPHED = os.environ.get("HELIOGRAPH_SCREENS") == "1"

WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
LOOKS = [(size, scheme) for scheme in ("light", "dark") for size in (WIDE, NARROW)]
CHECKED = [(WIDE, "light"), (NARROW, "dark")]

RUN_AXE = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: rules });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}"""


@dataclass
class Gallery:
    """Looks at a page in each state: axe-core on two looks, which have both sizes and both colour schemes between them,
    and a picture of all four where they are wanted.
    """

    axe: str
    violations: list[str] = field(default_factory=list)

    def look(self, page: Page, name: str) -> None:
        before = page.viewport_size
        looks = LOOKS if IS_PHOTOGRAPHED else CHECKED
        pictures = []
        for size, scheme in looks:
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            if IS_PHOTOGRAPHED:
                pictures.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
            if (size, scheme) in CHECKED:
                self._check(page, f"{name}, {size['width']} px, {scheme}")
        if pictures:
            side_by_side(pictures).save(SCREENS / f"{name}.webp", quality=82, method=6)
        if before is not None:
            page.set_viewport_size(before)

    def _check(self, page: Page, where: str) -> None:
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(self.axe)
        self.violations += [f"{where}: {violation}" for violation in page.evaluate(RUN_AXE)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            self.violations.append(f"{where}: wider than the screen")


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Wide and narrow in a row, day over night, at two thirds of their size."""
    gap = 24
    width = WIDE["width"] + NARROW["width"] + gap
    height = NARROW["height"]
    sheet = Image.new("RGB", (width, 2 * height + gap), (128, 128, 128))
    for number, picture in enumerate(pictures):
        row, column = divmod(number, 2)
        sheet.paste(picture, (column * (WIDE["width"] + gap), row * (height + gap)))
    return sheet.resize((sheet.width * 2 // 3, sheet.height * 2 // 3), Image.Resampling.LANCZOS)
