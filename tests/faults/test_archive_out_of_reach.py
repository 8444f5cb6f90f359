"""Messages on their way to the archive while the database takes nothing: they wait, and none is lost that has room."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import bugs
from heliograph.core.archive import ArchivedMessage, Selection
from heliograph.errors import StorageUnavailable
from heliograph.storage import sqlite
from heliograph.storage.sqlite import writer
from heliograph.storage.stores import archive
from patience import PATIENCE_S

ADA = 1


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "heliograph.db"


@pytest.fixture
async def stores(database: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setattr(writer, "LOCK_TIMEOUT_S", 0.02)
    async with sqlite.open(database) as opened:
        yield opened


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process writes, as long as a context lasts."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def message(number: int, sender: str = "ada@chat.example/x") -> ArchivedMessage:
    return ArchivedMessage(number, f"{number:016x}", ADA, None, sender, "ada@chat.example", b"<message/>")


async def stored(stores: Any) -> list[int]:
    return [each.number for each in await stores.archive.page(ADA, Selection(), 10_000, is_backwards=False)]


async def test_messages_that_cannot_be_written_now_are_written_later(stores: Any, database: Path) -> None:
    numbers = list(range(1, archive.CHUNK + 50))
    with locked(database):
        for number in numbers:
            stores.archive.add(message(number))
        with pytest.raises(StorageUnavailable):
            await stores.archive.flush()
        stores.archive.add(message(1000))
    await stores.archive.flush()
    assert await stored(stores) == [*numbers, 1000]


async def test_they_are_tried_again_though_nobody_waits_for_them(
    stores: Any, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "RETRY_S", 0.01)
    with locked(database):
        stores.archive.add(message(1))
        with pytest.raises(StorageUnavailable):
            await stores.archive.flush()
    async with asyncio.timeout(PATIENCE_S):
        while not await stored(stores):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
    assert await stored(stores) == [1]


async def test_a_message_that_cannot_be_written_at_all_takes_no_other_along(stores: Any, caplog: Any) -> None:
    broken = message(2, sender="\ud800")  # no text that a database takes
    with bugs.no_bugs(caplog) as lines:
        for each in (message(1), broken, message(3)):
            stores.archive.add(each)
        for _ in range(2):  # once together, once each alone
            with pytest.raises(UnicodeEncodeError):
                await stores.archive.flush()
        await stores.archive.flush()
        (lost,) = [line for line in lines if line["log_level"] == "error"]
        lines.clear()
    assert (lost["event"], lost["messages"]) == ("archive_not_written", 1)
    assert await stored(stores) == [1, 3]


async def test_no_more_wait_than_there_is_room_for(
    stores: Any, database: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(archive, "WAITING_MAX_MESSAGES", 10)
    with bugs.no_bugs(caplog) as lines:
        with locked(database):
            took = [stores.archive.add(message(number)) for number in range(1, 16)]
            with pytest.raises(StorageUnavailable):
                await stores.archive.flush()
        assert [line["messages"] for line in lines if line["event"] == "archive_not_written"] == [5]
        lines.clear()
    assert took == [True] * 9 + [False] * 6
    await stores.archive.flush()
    assert await stored(stores) == list(range(1, 11))
