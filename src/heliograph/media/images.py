"""Makes renditions of pictures in processes of their own, which have little memory, little time and nothing to lose."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from heliograph.core import limits, media
from heliograph.core.media import Rendition
from heliograph.errors import HeliographError, ImageInvalid, ImageTooCostly, ImageTooManyPixels, MediaBusy

log = structlog.get_logger("heliograph.media")

_PROGRAM = Path(__file__).with_name("image_worker.py")
_LENGTH = struct.Struct(">I")
_RETRY_AFTER_S = 5.0
_REFUSALS: dict[str, type[HeliographError]] = {
    "damaged": ImageInvalid,
    "pixels": ImageTooManyPixels,
    "costly": ImageTooCostly,
}


class _Worker:
    """One process, and how many pictures it has read."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.pictures = 0

    @classmethod
    async def start(cls, max_memory_bytes: int, timeout_s: float) -> _Worker:
        """Start a process. It gets no environment, so no secret of the node."""
        bounds = (str(max_memory_bytes), str(max(1, round(timeout_s))), str(limits.IMAGE_MAX_PIXELS))
        forms = (f"{form.side_px}:{form.ending}" for form in media.FORMS)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_PROGRAM),
            *bounds,
            *forms,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
        )
        return cls(process)

    async def render(self, data: bytes) -> list[Rendition]:
        """One picture; raises `ConnectionError` or `asyncio.IncompleteReadError` where the process has ended."""
        assert self.process.stdin is not None  # noqa: S101 - it was started with a pipe
        self.pictures += 1
        self.process.stdin.write(_LENGTH.pack(len(data)))
        self.process.stdin.write(data)
        await self.process.stdin.drain()
        found: dict[str, Any] = json.loads(await self._part())
        if "refused" in found:
            raise _REFUSALS[found["refused"]]
        return [Rendition(width, height, await self._part()) for width, height in found["sizes"]]

    async def _part(self) -> bytes:
        assert self.process.stdout is not None  # noqa: S101 - it was started with a pipe
        (size,) = _LENGTH.unpack(await self.process.stdout.readexactly(_LENGTH.size))
        if size > limits.RENDITION_MAX_BYTES:
            raise ConnectionError("no rendition is that large")
        return await self.process.stdout.readexactly(size)

    async def end(self) -> int:
        """End the process, whatever it does, and wait until it has gone."""
        with suppress(ProcessLookupError):
            self.process.kill()
        return await self.process.wait()


class ImageWorkers:
    """The adapter of `ImageMaker`: a few processes, started when they are first needed.

    A process that takes too much memory or time is ended, and the picture refused; the next one gets a fresh process.

    Args:
        size: the most processes at once.
        max_memory_bytes: the address space of each.
        timeout_s: how long one picture may take.
        max_waiting: how many pictures may wait for a process.
    """

    def __init__(
        self,
        size: int = limits.IMAGE_WORKERS,
        *,
        max_memory_bytes: int = limits.IMAGE_WORKER_MEMORY_BYTES,
        timeout_s: float = limits.IMAGE_WORKER_TIMEOUT_S,
        max_waiting: int = limits.IMAGES_WAITING_MAX,
    ) -> None:
        self._slots = asyncio.Semaphore(size)
        self._max_memory_bytes = max_memory_bytes
        self._timeout_s = timeout_s
        self._max_at_once = size + max_waiting
        self._at_once = 0
        self._idle: list[_Worker] = []

    async def __aenter__(self) -> ImageWorkers:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._idle:
            await worker.end()
        self._idle.clear()

    async def render(self, data: bytes) -> Sequence[Rendition]:
        """The renditions of a picture, one for each of `media.FORMS`.

        Raises:
            ImageInvalid, ImageTooManyPixels, ImageTooCostly: the picture is at fault.
            MediaBusy: too many wait already.
        """
        if self._at_once >= self._max_at_once:
            raise MediaBusy(retry_after_s=_RETRY_AFTER_S)
        self._at_once += 1
        try:
            async with self._slots:
                return await self._render(data)
        finally:
            self._at_once -= 1

    def _alive(self) -> _Worker | None:
        """An idle process, if there is one that nobody has ended meanwhile."""
        while self._idle:
            worker = self._idle.pop()
            if worker.process.returncode is None:
                return worker
        return None

    async def _render(self, data: bytes) -> list[Rendition]:
        worker = self._alive() or await _Worker.start(self._max_memory_bytes, self._timeout_s)
        is_usable = False
        try:
            async with asyncio.timeout(self._timeout_s):
                made = await worker.render(data)
            is_usable = worker.pictures < limits.IMAGE_WORKER_PICTURES
        except (ImageInvalid, ImageTooManyPixels):
            is_usable = worker.pictures < limits.IMAGE_WORKER_PICTURES
            raise
        except (
            TimeoutError,
            ConnectionError,
            asyncio.IncompleteReadError,
            ValueError,
            LookupError,
            TypeError,
        ) as error:
            log.warning("picture_too_costly", reason=type(error).__name__, bytes=len(data))
            raise ImageTooCostly from None
        finally:
            if is_usable:
                self._idle.append(worker)
            else:
                await worker.end()
        return made
