"""Files in a folder, for one machine or a shared file system."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from heapq import nsmallest
from pathlib import Path

from heliograph.core.media_ports import FILE_NAME

_PARTIAL_PREFIX = "."
_FOLDER_CHARS = 2


class FilesystemMedia:
    """The adapter of `MediaStore` over a folder.

    The files stand in subfolders by the first two characters of their names; a file is as old as its time of
    modification says.

    Args:
        folder: made where it is missing.
        base_url: what the names are appended to in public addresses.
    """

    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder = folder
        self._base_url = base_url

    def url(self, name: str) -> str:
        """The public address of a file."""
        return self._base_url + name

    async def put(self, name: str, data: bytes) -> None:
        """Store a file durably; storing the same name again only renews it.

        Raises:
            ValueError: the name breaks its rule.
        """
        path = self._path(name)
        if path is None:
            raise ValueError(f"{name!r} cannot name a stored file")
        await asyncio.to_thread(_write, path, data)

    async def get(self, name: str) -> bytes | None:
        """The file of that name; `None` where there is none, or where the name breaks its rule."""
        path = self._path(name)
        return None if path is None else await asyncio.to_thread(_read, path)

    async def renew(self, name: str) -> bool:
        """Make a file as young as if it were stored now; `False` where there is none."""
        path = self._path(name)
        return path is not None and await asyncio.to_thread(_touch, path)

    async def stale(self, before: float, after: str, limit: int) -> list[str]:
        """Names of files that are older, in order, beginning behind `after`."""
        return await asyncio.to_thread(_stale, self._folder, before, after, limit)

    async def remove(self, name: str, before: float) -> bool:
        """Delete a file that is older; whether there is none of that name now."""
        path = self._path(name)
        return path is None or await asyncio.to_thread(_remove, path, before)

    async def clear_partial(self, before: float) -> int:
        """Delete what was left half written before a time; how many files these were."""
        return await asyncio.to_thread(_clear_partial, self._folder, before)

    def _path(self, name: str) -> Path | None:
        if FILE_NAME.fullmatch(name) is None:
            return None
        return self._folder / _subfolder(name) / name


def _subfolder(name: str) -> str:
    return name[:_FOLDER_CHARS].rstrip(".")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _touch(path: Path) -> bool:
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    """Write beside the final name and then rename, so that the name never stands for half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not _touch(path):
        handle, partial = tempfile.mkstemp(prefix=_PARTIAL_PREFIX, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).replace(path)
        except BaseException:
            Path(partial).unlink()
            raise
    for folder in path.parents[:3]:  # the name, its subfolder's name, the folder's own
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _stale(folder: Path, before: float, after: str, limit: int) -> list[str]:
    """One subfolder after the other, so that no more than one of them is held in memory."""
    found: list[str] = []
    for subfolder in _subfolders(folder):
        if subfolder.name >= _subfolder(after) and len(found) < limit:
            names = (name for name, time in _times(subfolder) if name > after and time < before)
            stored = (name for name in names if not name.startswith(_PARTIAL_PREFIX))
            found += nsmallest(limit - len(found), stored)
    return found


def _subfolders(folder: Path) -> list[Path]:
    with suppress(FileNotFoundError):
        return sorted(path for path in folder.iterdir() if path.is_dir())
    return []


def _times(subfolder: Path) -> Iterator[tuple[str, float]]:
    """The names in a subfolder, each with its time of modification."""
    with os.scandir(subfolder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                yield entry.name, entry.stat().st_mtime


def _remove(path: Path, before: float) -> bool:
    """Take the name away first and look at the time then: who stores or renews the file in between finds no name, and
    writes it anew.
    """
    aside = path.with_name(f"{_PARTIAL_PREFIX}{path.name}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return True
    is_old = aside.stat().st_mtime < before
    if not is_old:
        aside.rename(path)
        return False
    aside.unlink()
    return True


def _clear_partial(folder: Path, before: float) -> int:
    partial = [
        subfolder / name
        for subfolder in _subfolders(folder)
        for name, time in _times(subfolder)
        if name.startswith(_PARTIAL_PREFIX) and time < before
    ]
    for path in partial:
        path.unlink(missing_ok=True)
    return len(partial)
