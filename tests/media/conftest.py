"""Pictures of all kinds, and processes that decode them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw

from heliograph.media.images import ImageWorkers

Encode = Callable[..., bytes]


@pytest.fixture
def encode() -> Encode:
    """Encodes a picture: `encode(image, "PNG", **options)`."""

    def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    return encoded


@pytest.fixture
def halves() -> Image.Image:
    """A picture of 1200 x 800: red on the left, blue on the right, a green stripe at the top."""
    image = Image.new("RGB", (1200, 800), "red")
    draw = ImageDraw.Draw(image)
    draw.rectangle((600, 0, 1199, 799), "blue")
    draw.rectangle((0, 0, 1199, 99), "lime")
    return image


@pytest.fixture
async def workers() -> AsyncIterator[ImageWorkers]:
    """Processes with the bounds of a node."""
    async with ImageWorkers() as started:
        yield started
