"""Chromium's fake capture device: it plays a file as if a camera had seen it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SIZE = (640, 480)
FRAMES_PER_S = 15


@dataclass
class FakeCamera:
    """A file in YUV4MPEG2 form, one frame of which repeats for ever. Chromium opens it when a page starts its camera."""

    file: Path

    def look_at(self, picture: Image.Image) -> None:
        """Put a picture in the middle of the frame."""
        scale = min(SIZE[0] / picture.width, SIZE[1] / picture.height) * 0.9
        seen = picture.convert("L").resize((round(picture.width * scale), round(picture.height * scale)))
        frame = Image.new("L", SIZE, 200)
        frame.paste(seen, ((SIZE[0] - seen.width) // 2, (SIZE[1] - seen.height) // 2))
        head = f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{FRAMES_PER_S}:1 Ip A1:1 C420jpeg\nFRAME\n".encode()
        grey = bytes([128]) * (SIZE[0] * SIZE[1] // 2)  # both colour planes, a quarter of the pixels each
        self.file.write_bytes(head + frame.tobytes() + grey)
