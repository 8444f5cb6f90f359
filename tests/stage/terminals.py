"""A terminal for programs that draw on one: a pseudo-terminal, and a screen that understands what is written to it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

from patience import PATIENCE_S

COLUMNS, ROWS = 100, 24
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf")
FONT_PX = 18
INK, PAPER = "#d4d7d9", "#16191d"
COLOURS = {
    "default": INK,
    "black": "#2b3036",
    "red": "#e06c75",
    "green": "#8cc265",
    "brown": "#d19a66",
    "yellow": "#e5c07b",
    "blue": "#2b4f77",
    "magenta": "#c678dd",
    "cyan": "#56b6c2",
    "white": "#e6e9eb",
}


class Terminal:
    """One terminal with a program on it.

    Args:
        master: the file descriptor of the terminal's own side.
    """

    def __init__(self, master: int) -> None:
        self._master = master
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._written = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the program has closed its side
            data = b""
        if data:
            self._stream.feed(data)
        else:
            asyncio.get_running_loop().remove_reader(self._master)
        self._written.set()

    @property
    def text(self) -> str:
        """What stands on the screen, a line for each row."""
        return "\n".join(row.rstrip() for row in self._screen.display)

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        os.write(self._master, f"{line}\r".encode())

    async def shows(self, text: str) -> None:
        """Wait until the screen shows a text.

        Raises:
            AssertionError: it does not come to that; with the screen as it is.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                while text not in self.text:
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError:
            raise AssertionError(f"not on the screen: {text!r}\n{self.text}") from None

    def picture(self) -> Image.Image:
        """The screen as a picture."""
        font = ImageFont.truetype(str(FONT), FONT_PX)
        width, height = round(font.getlength("M")), FONT_PX + 5
        image = Image.new("RGB", (COLUMNS * width, ROWS * height), PAPER)
        draw = ImageDraw.Draw(image)
        for y in range(ROWS):
            for x in range(COLUMNS):
                cell = self._screen.buffer[y][x]
                ink, paper = COLOURS.get(cell.fg, INK), COLOURS.get(cell.bg, PAPER) if cell.bg != "default" else PAPER
                if cell.reverse:
                    ink, paper = paper, ink
                draw.rectangle((x * width, y * height, (x + 1) * width - 1, (y + 1) * height - 1), fill=paper)
                draw.text((x * width, y * height), cell.data, font=font, fill=ink)
        return image


@asynccontextmanager
async def on_a_terminal(*command: str, **environment: str) -> AsyncIterator[Terminal]:
    """A program on a terminal of its own, until the context is left."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process: Process | None = None
    terminal = Terminal(master)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, "TERM": "linux", "LC_ALL": "C.UTF-8", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        yield terminal
    finally:
        asyncio.get_running_loop().remove_reader(master)
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
        os.close(slave)
        os.close(master)
