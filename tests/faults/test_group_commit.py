"""The one writer when something goes wrong: a failed commit, a full disk, another process, a cancelled caller."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from heliograph.errors import StorageUnavailable
from heliograph.storage import sql
from heliograph.storage.sqlite import writer
from heliograph.storage.sqlite.connection import open_writer
from heliograph.storage.sqlite.writer import SqliteWriter
from patience import PATIENCE_S

INSERT = "INSERT INTO apps (id, name, assertion_key, policy, created_at) VALUES (?, '', '', '', 0)"
Work = Callable[[sqlite3.Cursor], Any]


def add(name: str) -> Work:
    return lambda cursor: cursor.execute(INSERT, (name,)).lastrowid


def names(database: Path) -> list[str]:
    """What another process would find."""
    connection = sqlite3.connect(database)
    found = [name for (name,) in connection.execute("SELECT id FROM apps ORDER BY id")]
    connection.close()
    return found


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "heliograph.db"


@pytest.fixture
async def store(database: Path) -> AsyncIterator[SqliteWriter]:
    opened = SqliteWriter(open_writer(database))
    yield opened
    await opened.close()


async def together(store: SqliteWriter, *works: Work) -> list[Any]:
    """Jobs that share a commit; the results, or what they raised."""
    return await asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)


def raises(error: Exception, first: Work) -> Work:
    def work(cursor: sqlite3.Cursor) -> None:
        first(cursor)
        raise error

    return work


def breaks_the_commit(cursor: sqlite3.Cursor) -> None:
    """A reference to nothing, which the database looks at only when it commits."""
    cursor.execute("PRAGMA defer_foreign_keys = ON")
    cursor.execute(sql.ADD_TOKEN, (b"hash", 12345, "access", 0.0, None, None))


async def test_a_job_that_raises_is_rolled_back_alone(store: SqliteWriter, database: Path) -> None:
    error = LookupError("no")
    results = await together(store, add("a"), raises(error, add("b")), add("c"))
    assert results[1] is error
    assert names(database) == ["a", "c"]


async def test_a_batch_is_done_at_most_twice_however_many_of_its_jobs_raise(
    store: SqliteWriter, database: Path
) -> None:
    runs: dict[str, int] = {}

    def counted(name: str, work: Work) -> Work:
        def run(cursor: sqlite3.Cursor) -> Any:
            runs[name] = runs.get(name, 0) + 1
            return work(cursor)

        return run

    def refused(_cursor: sqlite3.Cursor) -> None:
        raise LookupError

    works = {"a": add("a"), "b": refused, "c": add("c"), **{name: raises(LookupError(), add(name)) for name in "defg"}}
    store.touch("nobody", 1.0)
    results = await together(store, *(counted(name, work) for name, work in works.items()), add("h"))
    assert [type(result) for result in results] == [int, LookupError, int, *[LookupError] * 4, int]
    assert names(database) == ["a", "c", "h"]
    assert max(runs.values()) == 2
    runs.clear()
    await together(store, counted("i", add("i")), counted("j", refused))
    assert runs == {"i": 1, "j": 1}


async def test_what_was_noted_of_sessions_is_written_also_when_a_batch_is_done_again(
    store: SqliteWriter, database: Path
) -> None:
    def session(cursor: sqlite3.Cursor) -> None:
        account = ("ada@x", "a", "live", b"salt", 1, "{}", False, 0.0, None)
        cursor.execute(sql.ADD_ACCOUNT, account)
        keys = (b"", b"", b"", b"", b"")
        cursor.execute(sql.ADD_SESSION, ("ses", cursor.lastrowid, "register", "", "", "", "", 0.0, 0.0, *keys))

    await together(store, add("a"), session)
    store.touch("ses", 7.0)
    await together(store, add("b"), raises(LookupError(), add("c")))
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT last_active_at FROM sessions").fetchall() == [(7.0,)]
    connection.close()


async def test_a_statement_that_fails_is_rolled_back_with_its_job_alone(store: SqliteWriter, database: Path) -> None:
    def twice(cursor: sqlite3.Cursor) -> None:
        add("b")(cursor)
        add("a")(cursor)

    results = await together(store, add("a"), twice, add("c"))
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert names(database) == ["a", "c"]


async def test_a_failed_commit_fails_all_that_shared_it_and_nothing_after(store: SqliteWriter, database: Path) -> None:
    results = await together(store, add("a"), breaks_the_commit, raises(LookupError(), add("b")))
    assert [type(result) for result in results] == [StorageUnavailable] * 3
    assert "FOREIGN KEY" in str(results[0].__cause__)
    assert isinstance(results[0].__cause__, sqlite3.IntegrityError)
    assert names(database) == []
    await store.write(add("d"))
    assert names(database) == ["d"]


async def test_a_transaction_lost_in_the_middle_fails_all_that_shared_it(store: SqliteWriter, database: Path) -> None:
    lose = raises(LookupError(), lambda cursor: cursor.execute("ROLLBACK"))
    results = await together(store, add("a"), lose, add("c"))
    assert [type(result) for result in results[:2]] == [StorageUnavailable] * 2
    assert results[2] is None or isinstance(results[2], int)
    assert names(database) == ["c"]  # it came too late for that batch, and shared the next


async def test_a_full_disk_fails_the_write_and_not_the_store(store: SqliteWriter, database: Path) -> None:
    def fill(cursor: sqlite3.Cursor) -> None:
        cursor.execute("PRAGMA max_page_count = 1")  # raised to what is used by now
        for number in range(10_000):
            cursor.execute(INSERT, (f"{number:0400}",))

    (result,) = await together(store, fill)
    assert isinstance(result, sqlite3.OperationalError | StorageUnavailable)
    assert "full" in f"{result} {result.__cause__}"
    assert names(database) == []
    await store.write(lambda cursor: cursor.execute("PRAGMA max_page_count = 1000000").fetchall())
    await store.write(add("a"))
    assert names(database) == ["a"]


async def test_a_cancelled_caller_hurts_neither_its_job_nor_the_batch(store: SqliteWriter, database: Path) -> None:
    tasks = [asyncio.ensure_future(store.write(add(name))) for name in "abc"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert names(database) == ["a", "b", "c"]


async def test_a_write_of_another_process_is_waited_for_beside_the_loop(store: SqliteWriter, database: Path) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    write = asyncio.ensure_future(store.write(add("ours")))
    for _ in range(100):
        await asyncio.sleep(0)  # the loop goes on
    assert not write.done()
    other.execute(INSERT, ("theirs",))
    other.execute("COMMIT")
    await write
    other.close()
    assert names(database) == ["ours", "theirs"]


async def test_a_lock_that_is_never_let_go_fails_the_writes_that_wait(
    store: SqliteWriter, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_TIMEOUT_S", 0.05)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await together(store, add("a"), add("b"))
    assert [type(result) for result in results] == [StorageUnavailable] * 2
    assert "locked" in str(results[0].__cause__)
    other.execute("ROLLBACK")
    other.close()
    await store.write(add("c"))
    assert names(database) == ["c"]


async def test_more_jobs_than_may_wait_are_all_written_in_their_order(
    store: SqliteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH_MAX", 10)
    order: list[int] = []
    works = [lambda _cursor, number=number: order.append(number) for number in range(writer.JOBS_MAX + 500)]
    assert await together(store, *works) == [None] * len(works)
    assert order == list(range(len(works)))


async def test_what_somebody_waits_for_overtakes_what_can_wait_which_still_gets_on(
    store: SqliteWriter, database: Path
) -> None:
    order: list[str] = []

    def noted(name: str) -> Work:
        def run(cursor: sqlite3.Cursor) -> None:
            order.append(name)
            add(name)(cursor)

        return run

    async def ask(name: str) -> list[str]:
        """What is durable when the caller goes on."""
        await store.write(noted(name))
        return names(database)

    patient = [asyncio.ensure_future(store.write(noted(f"p{number}"), is_patient=True)) for number in range(5)]
    asked = await asyncio.gather(ask("a"), ask("b"))
    assert asked == [["a", "b", "p0"]] * 2
    await asyncio.gather(*patient)
    assert order == ["a", "b", "p0", "p1", "p2", "p3", "p4"]


async def test_jobs_share_the_loop_with_others(store: SqliteWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "TURN_S", 0.0)
    order: list[str] = []
    write = asyncio.ensure_future(together(store, *[lambda _cursor: order.append("job")] * 20))
    while not write.done():
        order.append("other")
        await asyncio.sleep(0)
    turns = "".join(entry[0] for entry in order).strip("o").split("o")
    assert sum(turn.count("j") for turn in turns) == 20
    assert len([turn for turn in turns if turn]) > 5


async def test_closing_writes_what_was_handed_over_and_refuses_what_comes_later(database: Path) -> None:
    store = SqliteWriter(open_writer(database))
    writes = [asyncio.ensure_future(store.write(add(f"{number:04}"))) for number in range(1000)]
    await asyncio.sleep(0)
    await store.close()
    assert all(write.done() for write in writes)
    assert len(names(database)) == 1000
    with pytest.raises(RuntimeError, match="closed"):
        await store.write(add("late"))
    store.touch("ses_1", 1.0)
    await store.close()
    assert not database.with_name(f"{database.name}-wal").exists()


# ---------------------------------------------------------------------------------------------------- active sessions


@pytest.fixture
async def sessions(store: SqliteWriter, database: Path) -> list[str]:
    """Sessions that were last active at 0."""

    def work(cursor: sqlite3.Cursor) -> None:
        add("app")(cursor)
        account = ("ada@chat.example", "app", "live", b"", 1, "{}", 0, 0.0, None)
        account_id = cursor.execute(sql.ADD_ACCOUNT, account).lastrowid
        row = (account_id, "register", "", "", "", "", 0.0, 0.0, b"", b"", b"", b"", b"")
        cursor.executemany(sql.ADD_SESSION, [(f"ses_{number}", *row) for number in range(20)])

    await store.write(work)
    return [f"ses_{number}" for number in range(20)]


def active(database: Path) -> int:
    """How many sessions another process finds to have been active."""
    connection = sqlite3.connect(database)
    (found,) = connection.execute("SELECT COUNT(*) FROM sessions WHERE last_active_at > 0").fetchone()
    connection.close()
    return int(found)


async def until_written(store: SqliteWriter) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while store._touched or not store._idle.is_set():  # noqa: ASYNC110 - no event tells of this
            await asyncio.sleep(0)


async def test_activity_is_written_after_a_while_without_any_other_write(
    store: SqliteWriter, database: Path, sessions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TOUCH_DELAY_S", 0.02)
    for _ in range(2):  # the second time shows that the delay begins anew
        store.touch(sessions.pop(), 5.0)
        store.touch(sessions.pop(), 5.0)
        await until_written(store)
    assert active(database) == 4


async def test_much_activity_is_written_at_once(
    store: SqliteWriter, database: Path, sessions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TOUCHED_FLUSH", 10)
    for session_id in sessions[:10]:
        store.touch(session_id, 5.0)
    await until_written(store)
    assert active(database) == 10


async def test_activity_beyond_the_bound_is_left_out(
    store: SqliteWriter, database: Path, sessions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TOUCHED_MAX", 10)
    for session_id in sessions:
        store.touch(session_id, 5.0)
    await store.write(add("a"))
    assert active(database) == 10


async def test_activity_noted_during_a_commit_is_not_forgotten(
    store: SqliteWriter, database: Path, sessions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TOUCH_DELAY_S", 0.0)
    await store.write(lambda _cursor: store.touch(sessions[0], 5.0))
    await until_written(store)
    assert active(database) == 1


async def test_closing_writes_the_activity_that_was_noted(
    database: Path, store: SqliteWriter, sessions: list[str]
) -> None:
    second = SqliteWriter(open_writer(database))
    await second.write(lambda _cursor: second.touch(sessions[0], 5.0))
    second.touch(sessions[1], 5.0)
    await second.close()
    assert active(database) == 2
