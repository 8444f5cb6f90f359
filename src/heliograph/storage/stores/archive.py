"""Message archives.

Messages wait for a commit together, `COMMIT_DELAY_S` at most unless somebody wants them durable at once: what a commit
costs is mostly its pages, and the messages of one account share them. Measured with 200 busy accounts on a machine of
two cores: 8 µs a message in commits of 4,000, 16 µs in commits of 250. Other writes overtake them.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import structlog

from heliograph.core.archive import ArchivedMessage, Selection
from heliograph.errors import PeerError
from heliograph.storage import sql_archive
from heliograph.storage.database import Cursor, Reader, Writer

log = structlog.get_logger("heliograph.storage")

COMMIT_DELAY_S = 0.2
CHUNK = 128
"""How many messages are written without giving others their turn on the event loop."""
RETRY_S = 2.0
"""When what could not be written is tried again."""
WAITING_MAX_MESSAGES = 20_000
WAITING_MAX_BYTES = 16 * 1024 * 1024
EVERYTHING = 2**62


class _Failed(NamedTuple):
    """Messages that were not written, and why."""

    messages: Sequence[ArchivedMessage]
    error: BaseException


class SqlArchive:
    """The adapter of `ArchiveStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: list[ArchivedMessage] = []
        self._waiting_bytes = 0
        self._highest = 0  # of those that were handed to the writer
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def add(self, message: ArchivedMessage) -> bool:
        """Take a message into the archives of both sides with one of the next commits."""
        self._waiting.append(message)
        self._waiting_bytes += len(message.data)
        if self._timer is None and self._writing is None:
            self._begin_later()
        return len(self._waiting) < WAITING_MAX_MESSAGES and self._waiting_bytes < WAITING_MAX_BYTES

    async def flush(self) -> None:
        """Wait until all that was added is durable."""
        while self._waiting or self._writing is not None:
            self._begin()
            if self._writing is not None:
                await asyncio.shield(self._writing)

    def _begin_later(self, delay_s: float = COMMIT_DELAY_S) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._begin)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._waiting:
            self._writing = asyncio.get_running_loop().create_task(self._write())
            self._writing.add_done_callback(_retrieve)

    async def _write(self) -> None:
        """Write all that waits, in one commit if it has room there. What could not be written waits again; those who
        want it durable are told.
        """
        messages, self._waiting, self._waiting_bytes = self._waiting, [], 0
        in_order, late = self._sorted_out(messages)
        failed: list[_Failed] = []
        try:
            failed += await self._add_each([in_order[at : at + CHUNK] for at in range(0, len(in_order), CHUNK)])
            failed += await self._add_each([[message] for message in late])
        finally:
            self._writing = None
            self._put_back(failed)
            if self._waiting:
                self._begin_later(RETRY_S if failed else COMMIT_DELAY_S)
        if failed:
            raise failed[0].error

    def _sorted_out(self, messages: Sequence[ArchivedMessage]) -> tuple[list[ArchivedMessage], list[ArchivedMessage]]:
        """Those that come in the order of their numbers, and those that come behind a later one, as they had to wait
        for something else.
        """
        in_order, late = [], []
        for message in messages:
            if message.number > self._highest:
                self._highest = message.number
                in_order.append(message)
            else:
                late.append(message)
        return in_order, late

    async def _add_each(self, chunks: Sequence[Sequence[ArchivedMessage]]) -> list[_Failed]:
        """Write chunks, each whole or not at all; those that could not be written come back."""
        outcomes = await asyncio.gather(
            *(self._writer.write(partial(_add, messages=chunk), is_patient=True) for chunk in chunks),
            return_exceptions=True,
        )
        return [
            _Failed(chunk, error)
            for chunk, error in zip(chunks, outcomes, strict=True)
            if isinstance(error, BaseException)
        ]

    def _put_back(self, failed: Sequence[_Failed]) -> None:
        """Let messages wait again that could not be written, as far as there is room. They are tried one at a time
        then, so that one which cannot be written at all takes no other along; that one is given up.
        """
        for messages, error in failed:
            room = max(0, WAITING_MAX_MESSAGES - len(self._waiting))
            kept = messages[:room] if len(messages) > 1 or isinstance(error, PeerError) else ()
            self._waiting += kept
            self._waiting_bytes += sum(len(message.data) for message in kept)
            lost = len(messages) - len(kept)
            if lost:
                log.error("archive_not_written", messages=lost, error_id=uuid.uuid4().hex, exc_info=error)
            if kept:
                log.warning("archive_put_off", messages=len(kept), problem=type(error).__name__)

    async def page(self, owner: int, selection: Selection, limit: int, *, is_backwards: bool) -> list[ArchivedMessage]:
        """At most so many of the selected messages from one end on."""
        contact, parameters = _parameters(owner, selection)
        query = sql_archive.page(contact, is_backwards=is_backwards)
        return [ArchivedMessage(*row) for row in await self._reader.rows(query, (*parameters, limit))]

    async def count(self, owner: int, selection: Selection) -> int:
        """How many messages are selected."""
        contact, parameters = _parameters(owner, selection)
        row = await self._reader.row(sql_archive.count(contact), parameters)
        return int(row[0]) if row else 0

    async def find(self, owner: int, numbers: Sequence[int]) -> list[ArchivedMessage]:
        """The messages of those numbers that an archive has."""
        found = [await self._reader.row(sql_archive.FIND, (owner, number - 1, number + 1)) for number in numbers]
        return [ArchivedMessage(*row) for row in found if row is not None]

    async def newest(self) -> int:
        """The highest number of all messages; 0 where there is none."""
        row = await self._reader.row(sql_archive.NEWEST, ())
        return int(row[0]) if row else 0

    async def trim(self, owner: int, max_messages: int, max_bytes: int) -> int:
        """Delete the oldest messages of an archive that holds more than it may; how many these were."""
        count, size = await self._reader.row(sql_archive.USAGE, (owner,)) or (0, 0)
        if count <= max_messages and size <= max_bytes:
            return 0
        work = partial(_trim, owner=owner, max_messages=max_messages, max_bytes=max_bytes)
        return await self._writer.write(work)

    async def forget(self, before: float, limit: int) -> int:
        """Delete at most `limit` messages that came before a time; how many these were."""
        return await self._writer.write(partial(_forget, below=round(before * 1e6), limit=limit))


def _retrieve(writing: asyncio.Task[None]) -> None:
    """What became of its messages is logged already; nobody may wait for it."""
    if not writing.cancelled():
        writing.exception()


def _parameters(owner: int, selection: Selection) -> tuple[str, tuple[object, ...]]:
    """How a selection compares the other side, and the parameters of its query."""
    start: tuple[object, ...] = (owner, selection.above, selection.below)
    jid = selection.contact
    if jid is None:
        return "", start
    if "/" in jid:
        return "full", (*start, jid, jid)
    if selection.contact_id is not None:
        return "id", (*start, selection.contact_id)
    resources = (f"{jid}/", f"{jid}0")  # "0" comes next to "/"
    return "bare", (*start, jid, jid, *resources, *resources)


def _add(cursor: Cursor, messages: Sequence[ArchivedMessage]) -> None:
    """Write messages that come in the order of their numbers, between which there is no other."""
    cursor.executemany(
        sql_archive.ADD,
        [
            (number, token, sender_id, receiver_id, len(data), sender, receiver, data)
            for number, token, sender_id, receiver_id, sender, receiver, data in messages
        ],
    )
    cursor.execute(sql_archive.ADD_PLACES, 2 * (messages[0].number, messages[-1].number))


def _trim(cursor: Cursor, owner: int, max_messages: int, max_bytes: int) -> int:
    sizes = cursor.execute(sql_archive.SIZES, (owner,)).fetchall()
    left, left_bytes, last = len(sizes), sum(size for _, size in sizes), None
    for number, size in sizes:
        if left <= max_messages and left_bytes <= max_bytes:
            break
        left, left_bytes, last = left - 1, left_bytes - size, number
    if last is not None:
        delete_archive(cursor, owner, last)
    return len(sizes) - left


def delete_archive(cursor: Cursor, owner: int, up_to: int = EVERYTHING) -> None:
    """Delete an archive, or its messages up to one; what stands in another archive too stays there."""
    for statement in sql_archive.FORGET_ARCHIVE:
        cursor.execute(statement, (owner, up_to))


def _forget(cursor: Cursor, below: int, limit: int) -> int:
    found = cursor.execute(sql_archive.OLD, (below, limit)).fetchall()
    cursor.executemany(
        sql_archive.FORGET_PLACE, [(side, number) for number, *sides in found for side in sides if side is not None]
    )
    cursor.executemany(sql_archive.FORGET, [(number,) for number, *_ in found])
    return len(found)
