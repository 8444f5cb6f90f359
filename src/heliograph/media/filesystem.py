"""Files in a folder, for one machine or a shared file system."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

_NAME = re.compile(r"[0-9a-z][0-9a-z.]{0,79}")


class FilesystemMedia:
    """The adapter of `MediaStore` over a folder.

    A name has 1 to 80 characters, each a digit, a small letter or a dot, and does not begin with a dot. The files stand
    in subfolders by the first two characters of their names.

    Args:
        folder: made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, data: bytes) -> None:
        """Store a file durably; storing the same name again changes nothing.

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

    def _path(self, name: str) -> Path | None:
        if _NAME.fullmatch(name) is None:
            return None
        return self._folder / name[:2].rstrip(".") / name


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> None:
    """Write beside the final name and then rename, so that the name never stands for half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        handle, partial = tempfile.mkstemp(prefix=".", dir=path.parent)
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
