"""What every `MediaStore` does."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import obstore
import pytest

from heliograph.core.media_ports import MediaStore
from heliograph.errors import Unreachable
from heliograph.media.filesystem import FilesystemMedia
from heliograph.media.s3 import Bucket, S3Media
from s3_server import S3Server, s3_server

NAME = "0a1b" * 16 + ".png"
BASE = "https://chat.test/media/"
LATER_S = 3600.0
"""How far ahead a store looks: to it, all that was stored just now is old."""


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A server for object stores of tests."""
    with s3_server() as server:
        yield server


@pytest.fixture(params=["filesystem", "s3"])
async def media(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaStore]:
    """An empty store of every adapter in turn."""
    if request.param == "filesystem":
        yield FilesystemMedia(tmp_path / "media", BASE)
    else:
        server: S3Server = request.getfixturevalue("s3")
        yield S3Media(server.bucket(prefix="pictures"), BASE)


def soon() -> float:
    return time.time() + LATER_S


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_stored_file_comes_back(media: MediaStore) -> None:
    data = bytes(range(256)) * 1000
    await media.put(NAME, data)
    assert await media.get(NAME) == data
    await media.put("e", b"")
    assert await media.get("e") == b""


async def test_an_unknown_file_is_none(media: MediaStore) -> None:
    assert await media.get(NAME) is None
    await media.put(NAME, b"data")
    assert await media.get("0b" + NAME[2:]) is None


async def test_a_name_has_an_address(media: MediaStore) -> None:
    assert media.url(NAME) == BASE + NAME
    assert media.url("") == BASE


async def test_storing_a_name_again_keeps_its_file(media: MediaStore) -> None:
    await media.put(NAME, b"the same")
    await media.put(NAME, b"the same")
    assert await media.get(NAME) == b"the same"


async def test_concurrent_puts_of_one_name_leave_one_whole_file(media: MediaStore) -> None:
    await asyncio.gather(*(media.put(NAME, b"x" * 100_000) for _ in range(20)))
    assert await media.get(NAME) == b"x" * 100_000


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc/passwd",
        "a\\b",
        "A.png",
        "ä.png",
        "a\0b",
        ".hidden",
        "-a",
        "a" * 81,
        "a b",
        "a\n",
    ],
)
async def test_other_names_are_refused_and_never_found(media: MediaStore, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a stored file"):
        await media.put(name, b"data")
    assert await media.get(name) is None
    assert not await media.renew(name)
    assert await media.remove(name, soon())


@pytest.mark.parametrize("name", ["a", "a.", "a..", "a.b", "a-96.b", "0.png", "ab..cd", "a" * 80])
async def test_every_valid_name_names_a_file_of_its_own(media: MediaStore, name: str) -> None:
    await media.put(name, name.encode())
    await media.put(name[:-1] + "z", b"another")
    assert await media.get(name) == name.encode()


# ----------------------------------------------------------------------------------------------------------- letting go


async def test_stale_files_are_named_in_order_and_in_pieces(media: MediaStore) -> None:
    names = sorted(["0a-96.jpg", "0a.jpg", "0a.webp", "0b.jpg", "ff.jpg", "a", "b.", "b..", "b.a"])
    for name in names:
        await media.put(name, b"data")
    assert await media.stale(soon(), "", 100) == names
    assert await media.stale(time.time() - LATER_S, "", 100) == []
    for limit in (1, 2, 4):
        found: list[str] = []
        while piece := await media.stale(soon(), found[-1] if found else "", limit):
            assert len(piece) <= limit
            found += piece
        assert found == names


async def test_an_empty_store_has_nothing_to_let_go(media: MediaStore) -> None:
    assert await media.stale(soon(), "", 10) == []
    assert await media.clear_partial(soon()) == 0


async def test_an_old_file_is_removed_and_a_young_one_is_not(media: MediaStore) -> None:
    await media.put(NAME, b"data")
    assert not await media.remove(NAME, time.time() - LATER_S)
    assert await media.get(NAME) == b"data"
    assert await media.remove(NAME, soon())
    assert await media.get(NAME) is None
    assert await media.remove(NAME, soon())
    await media.put(NAME, b"again")
    assert await media.get(NAME) == b"again"


async def test_a_missing_file_is_not_renewed(media: MediaStore) -> None:
    assert not await media.renew(NAME)
    await media.put(NAME, b"data")
    assert await media.renew(NAME)
    assert await media.get(NAME) == b"data"


# ---------------------------------------------------------------------------------------------------- files in a folder


async def test_what_is_stored_again_or_renewed_is_young(tmp_path: Path) -> None:
    media = FilesystemMedia(tmp_path, BASE)
    for touch in (lambda: media.put(NAME, b"data"), lambda: media.renew(NAME)):
        await media.put(NAME, b"data")
        os.utime(tmp_path / NAME[:2] / NAME, (1, 1))
        assert await media.stale(1000, "", 10) == [NAME]
        await touch()
        assert await media.stale(1000, "", 10) == []
        assert not await media.remove(NAME, 1000)


async def test_a_failed_put_leaves_nothing_behind(tmp_path: Path) -> None:
    media = FilesystemMedia(tmp_path, BASE)
    with pytest.raises(TypeError):
        await media.put(NAME, "no bytes")  # type: ignore[arg-type]
    assert await media.get(NAME) is None
    assert files(tmp_path) == []


async def test_half_files_of_a_crash_go_when_they_are_old(tmp_path: Path) -> None:
    media = FilesystemMedia(tmp_path, BASE)
    await media.put(NAME, b"data")
    half = tmp_path / NAME[:2] / ".half"
    half.write_bytes(b"da")
    assert await media.stale(soon(), "", 10) == [NAME]
    assert await media.clear_partial(time.time() - LATER_S) == 0
    assert half.exists()
    assert await media.clear_partial(soon()) == 1
    assert files(tmp_path) == [tmp_path / NAME[:2] / NAME]


async def test_a_file_that_is_stored_while_it_is_removed_is_there_afterwards(tmp_path: Path) -> None:
    media = FilesystemMedia(tmp_path, BASE)
    path = tmp_path / NAME[:2] / NAME
    for _ in range(50):
        await media.put(NAME, b"data")
        os.utime(path, (1, 1))
        await asyncio.gather(media.remove(NAME, 1000), media.put(NAME, b"data"))
        assert await media.get(NAME) == b"data"


# --------------------------------------------------------------------------------------------------- files in a bucket


async def test_two_prefixes_of_a_bucket_do_not_meet(s3: S3Server) -> None:
    bucket = s3.bucket()
    one, other = (S3Media(replace(bucket, prefix=prefix), BASE) for prefix in ("one", "/other/"))
    await one.put(NAME, b"one")
    assert await other.get(NAME) is None
    await other.put(NAME, b"other")
    assert (await one.get(NAME), await other.get(NAME)) == (b"one", b"other")
    assert await one.stale(soon(), "", 10) == [NAME]
    assert await S3Media(bucket, BASE).stale(soon(), "", 10) == [f"one/{NAME}", f"other/{NAME}"]


async def test_a_file_in_a_bucket_has_its_type(s3: S3Server) -> None:
    bucket = s3.bucket()
    await S3Media(bucket, BASE).put("a.webp", b"data")
    stored = await obstore.get_async(bucket.open(), "a.webp")
    assert stored.attributes["Content-Type"] == "image/webp"


async def test_a_renewed_file_of_a_bucket_is_young(s3: S3Server) -> None:
    media = S3Media(s3.bucket(), BASE)
    await media.put(NAME, b"data")
    before = math.floor(time.time()) + 1  # its times have whole seconds
    assert await media.stale(before, "", 10) == [NAME]
    while await media.stale(before, "", 10):
        assert await media.renew(NAME)
    assert not await media.remove(NAME, before)
    assert await media.get(NAME) == b"data"


async def test_a_server_that_is_not_there_is_an_error_with_a_code(s3: S3Server) -> None:
    unused = replace(s3.bucket(), name="no-such-bucket")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        closed = replace(unused, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        for bucket in (unused, closed):
            media = S3Media(bucket, BASE)
            with pytest.raises(Unreachable):
                await media.put(NAME, b"data")
            with pytest.raises(Unreachable):
                await media.stale(soon(), "", 10)


def test_a_bucket_does_not_show_its_secret() -> None:
    assert "hidden" not in repr(Bucket("pictures", secret_access_key="hidden"))
