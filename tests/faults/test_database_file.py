"""Opening the database file: the version it has, and files that cannot be used."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from heliograph.core.apps import App
from heliograph.errors import SettingsInvalid
from heliograph.storage import migrations, sqlite
from heliograph.storage.migrations import Migration

APP = App("app_1", "Chat", "chat.example", "sandbox.chat.example", "{}", 1_800_000_000.0)


def versions(database: Path) -> list[int]:
    connection = sqlite3.connect(database)
    found = [version for (version,) in connection.execute("SELECT version FROM schema_versions ORDER BY version")]
    connection.close()
    return found


def tables(database: Path) -> set[str]:
    connection = sqlite3.connect(database)
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return found


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "with space & é?#%41.db"


async def test_a_new_file_gets_all_migrations_and_only_its_owner_may_read_it(database: Path) -> None:
    async with sqlite.open(database):
        assert versions(database) == [step.version for step in migrations.load(migrations.SQLITE)]
        for suffix in ("", "-wal", "-shm"):
            mode = database.with_name(database.name + suffix).stat().st_mode
            assert stat.S_IMODE(mode) == 0o600


async def test_what_was_stored_is_there_after_opening_again(database: Path) -> None:
    async with sqlite.open(database) as stores:
        await stores.apps.add(APP, [])
    async with sqlite.open(database) as stores:
        assert await stores.apps.lookup(APP.id) == APP


async def test_two_processes_may_have_it_open(database: Path) -> None:
    async with sqlite.open(database) as ours, sqlite.open(database) as theirs:
        await theirs.apps.add(APP, [])
        assert await ours.apps.lookup(APP.id) == APP


async def test_migrations_are_numbered_from_1_and_no_number_twice() -> None:
    steps = migrations.load(migrations.SQLITE)
    numbers = [step.version for step in steps]
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
    assert not any("{" in statement for step in steps for statement in step.statements)


async def test_an_older_database_gets_the_steps_that_it_lacks(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sqlite.open(database) as stores:
        await stores.apps.add(APP, [])
    steps = migrations.load(migrations.SQLITE)
    further = Migration(steps[-1].version + 1, ("CREATE TABLE further (id INTEGER)",))
    monkeypatch.setattr(migrations, "load", lambda _words: [*steps, further])
    async with sqlite.open(database) as stores:
        assert await stores.apps.lookup(APP.id) == APP
    assert versions(database) == [step.version for step in (*steps, further)]
    assert "further" in tables(database)


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite.open(database):
        before = versions(database), tables(database)
    steps = migrations.load(migrations.SQLITE)
    broken = Migration(
        steps[-1].version + 1, ("CREATE TABLE further (id INTEGER)", "CREATE TABLE accounts (id INTEGER)")
    )
    monkeypatch.setattr(migrations, "load", lambda _words: [*steps, broken])
    with pytest.raises(SettingsInvalid, match="already exists"):
        async with sqlite.open(database):
            pass
    assert (versions(database), tables(database)) == before


async def test_a_newer_database_is_refused_with_a_clear_sentence(database: Path) -> None:
    async with sqlite.open(database):
        pass
    connection = sqlite3.connect(database)
    connection.execute("INSERT INTO schema_versions (version) VALUES (99)")
    connection.commit()
    connection.close()
    with pytest.raises(SettingsInvalid, match=r"newer Heliograph \(schema 99; this one knows \d+\)") as caught:
        async with sqlite.open(database):
            pass
    assert caught.value.details == {"settings": ["data_dir"]}


async def test_a_file_that_is_no_database_is_refused_and_left_alone(database: Path) -> None:
    content = b"a letter to a friend, not a database at all\n" * 50
    database.write_bytes(content)  # noqa: ASYNC240 - nothing else runs
    with pytest.raises(SettingsInvalid, match="not a database"):
        async with sqlite.open(database):
            pass
    assert database.read_bytes() == content  # noqa: ASYNC240 - nothing else runs


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="missing"):
        async with sqlite.open(tmp_path / "missing" / "heliograph.db"):
            pass
