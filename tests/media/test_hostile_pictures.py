"""Pictures made to do harm: each is refused with its code, within bounds, and leaves the next one unharmed."""

from __future__ import annotations

import asyncio
import io
import os
import select
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from heliograph.errors import ImageInvalid, ImageTooCostly, ImageTooManyPixels, MediaBusy
from heliograph.media import images
from heliograph.media.images import ImageWorkers
from patience import PATIENCE_S

Encode = Callable[..., bytes]
SCRIPT = b"<script>alert(document.domain)</script>"
ARCHIVE = b"PK\x05\x06" + bytes(18)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def large() -> bytes:
    """A picture of 35 million pixels in few bytes."""
    file = io.BytesIO()
    Image.new("RGB", (7000, 5000), "red").save(file, "PNG")
    return file.getvalue()


def noise(size: int = 200) -> Image.Image:
    return Image.effect_noise((size, size), 80).convert("RGB")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
async def test_a_file_that_was_cut_off_is_damaged(
    workers: ImageWorkers, encode: Encode, kind: str, kept: float
) -> None:
    data = encode(noise(), kind)
    with pytest.raises(ImageInvalid):
        await workers.render(data[: int(len(data) * kept)])
    await workers.render(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_flipped_bits_are_read_or_refused_and_nothing_else(
    workers: ImageWorkers, encode: Encode, kind: str
) -> None:
    data = encode(noise(64), kind)
    for place in range(0, len(data), max(1, len(data) // 60)):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        try:
            await workers.render(bytes(broken))
        except (ImageInvalid, ImageTooManyPixels):
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!DOCTYPE html>" + SCRIPT,
        b"\x89PNG\r\n\x1a\n" + SCRIPT,
        b"GIF89a/*" + SCRIPT + b"*/=1",
        b"\xff\xd8\xff\xe0" + SCRIPT,
        b"RIFF\0\0\0\0WEBP" + SCRIPT,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"BM" + bytes(60),
        b"II*\0" + bytes(60),
        b"P6 9 9 255\n" + bytes(243),
    ],
)
async def test_what_is_no_picture_is_damaged_to_the_decoder(workers: ImageWorkers, data: bytes) -> None:
    with pytest.raises(ImageInvalid):
        await workers.render(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_that_is_also_something_else_loses_that(
    workers: ImageWorkers, encode: Encode, kind: str
) -> None:
    for made in await workers.render(encode(noise(), kind) + SCRIPT + ARCHIVE):
        assert SCRIPT not in made.data
        assert ARCHIVE not in made.data


async def test_a_png_that_claims_too_much_is_refused(workers: ImageWorkers) -> None:
    with pytest.raises(ImageTooManyPixels):
        await workers.render(png(30_000, 30_000, chunk(b"IDAT", zlib.compress(bytes(1000)))))


async def test_a_png_bomb_within_the_pixels_is_decoded_within_the_memory(workers: ImageWorkers) -> None:
    rows = zlib.compress((b"\0" + bytes(3 * 8000)) * 5000, 9)
    assert len(rows) < 200_000
    assert (await workers.render(png(8000, 5000, chunk(b"IDAT", rows))))[-1].width == 640


async def test_text_that_unpacks_to_gigabytes_is_not_kept(workers: ImageWorkers) -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    with pytest.raises(ImageInvalid):
        await workers.render(png(1, 1, text * 3, pixels))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_thousands_of_frames_cost_no_more_than_one(workers: ImageWorkers, encode: Encode, kind: str) -> None:
    frames = [Image.new("P", (64, 64), number % 256) for number in range(300)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=10)
    async with asyncio.timeout(PATIENCE_S):
        await workers.render(data)


async def test_a_gif_with_a_frame_beyond_its_canvas_is_refused(workers: ImageWorkers) -> None:
    head = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + bytes(6)
    frame = b"," + struct.pack("<4H", 0, 0, 65535, 65535) + b"\0\x02\x02\x4c\x01\0;"
    with pytest.raises(ImageTooManyPixels):
        await workers.render(head + frame)


async def test_a_webp_bomb_is_refused(workers: ImageWorkers) -> None:
    body = b"VP8X\x0a\0\0\0\x02\0\0\0\xff\xff\xff\xff\xff\xff" + b"ANIM\x06\0\0\0" + bytes(6)
    with pytest.raises((ImageInvalid, ImageTooManyPixels)):
        await workers.render(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body)


# -------------------------------------------------------------------------------------------------------- the processes


async def test_a_decoder_without_memory_refuses_the_picture_and_goes_on(encode: Encode, large: bytes) -> None:
    async with ImageWorkers(1, max_memory_bytes=100 * 1024 * 1024) as workers:
        with pytest.raises(ImageTooCostly):
            await workers.render(large)
        await workers.render(encode(noise(), "PNG"))


async def test_a_decoder_without_time_is_ended_and_replaced(encode: Encode, large: bytes, children: Any) -> None:
    small = encode(noise(), "PNG")
    async with ImageWorkers(1) as workers:
        await workers.render(small)
        before = children()
        usual_s, workers._timeout_s = workers._timeout_s, 0.001
        with pytest.raises(ImageTooCostly):
            await workers.render(large)
        assert children() == []
        workers._timeout_s = usual_s
        await workers.render(small)
        assert len(children()) == 1
        assert children() != before
    assert children() == []


@pytest.fixture
def children() -> Callable[[], list[int]]:
    """The ids of the decoding processes that the test has started and that have not ended. A node that other tests
    share may have some of its own.
    """

    def alive() -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == os.getpid() and b"image_worker.py" in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return sorted(found)

    others = alive()
    return lambda: [process for process in alive() if process not in others]


async def test_processes_start_when_needed_and_no_more_than_allowed(encode: Encode, children: Any) -> None:
    data = encode(noise(), "PNG")
    async with ImageWorkers(2) as workers:
        assert children() == []
        await workers.render(data)
        assert len(children()) == 1
        await asyncio.gather(*(workers.render(data) for _ in range(10)))
        assert len(children()) == 2
    assert children() == []


async def test_a_process_that_was_ended_from_outside_is_replaced(encode: Encode, children: Any) -> None:
    data = encode(noise(), "PNG")
    async with ImageWorkers(1) as workers:
        await workers.render(data)
        (found,) = children()
        os.kill(found, signal.SIGKILL)
        while workers._idle[0].process.returncode is None:  # noqa: ASYNC110 - it is told in its own time
            await asyncio.sleep(0)
        await workers.render(data)


async def test_a_process_does_not_live_for_ever(encode: Encode, children: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images.limits, "IMAGE_WORKER_PICTURES", 2)
    data = encode(noise(), "PNG")
    async with ImageWorkers(1) as workers:
        await workers.render(data)
        first = children()
        await workers.render(data)
        await workers.render(data)
        assert children() != first


async def test_more_pictures_than_may_wait_are_sent_away(encode: Encode) -> None:
    data = encode(noise(), "PNG")
    async with ImageWorkers(1, max_waiting=1) as workers:
        outcomes = await asyncio.gather(*(workers.render(data) for _ in range(4)), return_exceptions=True)
        busy = [outcome for outcome in outcomes if isinstance(outcome, MediaBusy)]
        assert len(busy) == 2
        assert busy[0].retry_after_s
        await workers.render(data)


async def test_who_no_longer_waits_frees_the_process(encode: Encode, large: bytes, children: Any) -> None:
    async with ImageWorkers(1) as workers:
        task = asyncio.create_task(workers.render(large))
        while not children():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert children() == []
        await workers.render(encode(noise(), "PNG"))


async def test_a_process_knows_no_secret_and_can_write_nothing(encode: Encode, children: Any) -> None:
    os.environ["HELIOGRAPH_TEST_SECRET"] = "hidden"
    try:
        async with ImageWorkers(1) as workers:
            await workers.render(encode(noise(), "PNG"))
            (found,) = children()
            folder = Path(f"/proc/{found}")
            assert b"HELIOGRAPH" not in (folder / "environ").read_bytes()
            bounds = (folder / "limits").read_text()
            assert [line.split()[3:5] for line in bounds.splitlines() if line.startswith("Max file size")] == [
                ["0", "0"]
            ]
            assert [line.split()[3] for line in bounds.splitlines() if line.startswith("Max address")] == [str(2**30)]
            loaded = (folder / "maps").read_text()
            assert "_ssl" not in loaded
            assert "_sqlite" not in loaded
    finally:
        del os.environ["HELIOGRAPH_TEST_SECRET"]


PARENT = """
import asyncio, os, signal, sys
from heliograph.media.images import ImageWorkers

async def main():
    workers = ImageWorkers(1)
    await workers.render(sys.stdin.buffer.read())
    print(workers._idle[0].process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_a_process_does_not_outlive_its_node(encode: Encode) -> None:
    died = subprocess.run(
        [sys.executable, "-c", PARENT], input=encode(noise(), "PNG"), stdout=subprocess.PIPE, check=False
    )
    assert died.returncode == -signal.SIGKILL
    try:
        pidfd = os.pidfd_open(int(died.stdout))
    except ProcessLookupError:
        return  # it has gone already
    ready, _, _ = select.select([pidfd], [], [], PATIENCE_S)
    os.close(pidfd)
    assert ready


async def test_the_event_loop_runs_on_while_a_picture_is_decoded(encode: Encode, large: bytes) -> None:
    turns = 0
    async with ImageWorkers(1) as workers:
        await workers.render(encode(noise(), "PNG"))
        task = asyncio.create_task(workers.render(large))
        while not task.done():
            turns += 1
            await asyncio.sleep(0.001)  # a pace, not a wait: it counts how often the loop comes round
    assert turns > 10  # a loop that stood still would come round once or twice
