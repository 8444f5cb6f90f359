"""What every `MediaStore` does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from heliograph.core.ports import MediaStore
from heliograph.media.filesystem import FilesystemMedia

NAME = "0a1b" * 16 + ".png"


@pytest.fixture(params=["filesystem"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> MediaStore:
    """An empty store of every adapter in turn."""
    assert request.param == "filesystem"
    return FilesystemMedia(tmp_path / "media")


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


async def test_storing_a_name_again_changes_nothing(media: MediaStore) -> None:
    await media.put(NAME, b"first")
    await media.put(NAME, b"second")
    assert await media.get(NAME) == b"first"


async def test_concurrent_puts_of_one_name_leave_one_whole_file(media: MediaStore) -> None:
    await asyncio.gather(*(media.put(NAME, b"x" * 100_000) for _ in range(20)))
    assert await media.get(NAME) == b"x" * 100_000


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "A.png", "ä.png", "a\0b", ".hidden", "a" * 81, "a b", "a\n"],
)
async def test_other_names_are_refused_and_never_found(media: MediaStore, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a stored file"):
        await media.put(name, b"data")
    assert await media.get(name) is None


@pytest.mark.parametrize("name", ["a", "a.", "a..", "a.b", "0.png", "ab..cd", "a" * 80])
async def test_every_valid_name_names_a_file_of_its_own(media: MediaStore, name: str) -> None:
    await media.put(name, name.encode())
    await media.put(name[:-1] + "z", b"another")
    assert await media.get(name) == name.encode()


async def test_a_failed_put_leaves_nothing_behind(tmp_path: Path) -> None:
    media = FilesystemMedia(tmp_path)
    with pytest.raises(TypeError):
        await media.put(NAME, "no bytes")  # type: ignore[arg-type]
    assert await media.get(NAME) is None
    assert files(tmp_path) == []
