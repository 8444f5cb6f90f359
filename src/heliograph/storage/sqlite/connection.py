"""Connections to the database file: how they are set up, and the reader of short look-ups."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from heliograph.errors import SettingsInvalid
from heliograph.storage import migrations
from heliograph.storage.rows import Row

OPEN_TIMEOUT_S = 10.0
"""How long opening waits for a write of another process, such as a migration."""
READ_TIMEOUT_S = 1.0
"""How long a look-up waits while another process recovers the log of one that was killed; no write holds it up."""
CACHED_STATEMENTS = 256
CACHE_KIB = 32 * 1024
CHECKPOINT_PAGES = 4000
"""How much the write-ahead log gathers (16 MB) before its pages move to the database."""

_VERSIONS = "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY)"


def open_writer(path: Path) -> sqlite3.Connection:
    """The connection that writes, over a database brought to the version of this code.

    Any one thread may use it. It does not wait for the lock of another process: who writes says how.

    Args:
        path: the database file; made where it is missing, for nobody but its owner to read.

    Raises:
        SettingsInvalid: the file cannot be opened, is no database, or comes from a newer Heliograph.
    """
    try:
        path.touch(mode=0o600)
        connection = _connect(path.absolute().as_uri(), timeout_s=OPEN_TIMEOUT_S, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, str(error)) from error
    try:
        _set_up(connection)
        _migrate(connection)
    except (sqlite3.Error, migrations.WrittenByNewer) as error:
        connection.close()
        raise unusable(path, str(error)) from error
    return connection


def migrate(path: Path) -> tuple[int, int]:
    """Bring a database to this code's version; the version that it had, 0 for none at all, and the one that it has.

    Raises:
        SettingsInvalid: as of `open_writer`.
    """
    before = version(path) if path.exists() else 0
    open_writer(path).close()
    return before, version(path)


def version(path: Path) -> int:
    """The version of a database's tables; 0 for one that has none.

    Raises:
        SettingsInvalid: there is no database.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(_connect(uri, timeout_s=OPEN_TIMEOUT_S, check_same_thread=True)) as connection:
            return version_of(connection)
    except sqlite3.Error as error:
        raise unusable(path, str(error)) from error


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the tables behind a connection; 0 where there are none."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_versions'").fetchone()
    highest = connection.execute("SELECT MAX(version) FROM schema_versions").fetchone() if known else None
    return int(highest[0] or 0) if highest else 0


def unusable(path: Path, reason: str) -> SettingsInvalid:
    """The error of a database that cannot be used."""
    return SettingsInvalid(f"{path}: {reason}", details={"settings": ["data_dir"]})


def _connect(uri: str, *, timeout_s: float, check_same_thread: bool) -> sqlite3.Connection:
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=check_same_thread,
        cached_statements=CACHED_STATEMENTS,
    )


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What a savepoint must keep of the pages that change would go to a file: half as much again for a registration.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to this code's version, in one transaction."""
    steps = migrations.load(migrations.SQLITE)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_VERSIONS)
    applied = {version for (version,) in connection.execute("SELECT version FROM schema_versions")}
    for step in migrations.pending(steps, applied, otherwise="choose another data folder"):
        for statement in step.statements:
            connection.execute(statement)
        connection.execute("INSERT INTO schema_versions (version) VALUES (?)", (step.version,))
    connection.execute("COMMIT")
    connection.execute("PRAGMA busy_timeout = 0")


class SqliteReader:
    """Look-ups on the event-loop thread, over a connection that cannot write.

    All look-ups go by an index. Most take some ten microseconds, where handing one to a thread and back takes some
    fifty: so they run inline. The longest, a roster of 10,000 items and the profiles of as many contacts, hold the loop
    for 40 and 60 ms, which is what making their records costs on any thread. Under the write-ahead log a look-up
    neither waits for a write nor holds one up, and it sees every commit that was acknowledged.

    Args:
        path: the database file, which a writer has opened before.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _connect(
            f"{path.absolute().as_uri()}?mode=ro", timeout_s=READ_TIMEOUT_S, check_same_thread=True
        )
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

    async def row(self, query: str, parameters: Sequence[Any]) -> Row | None:
        """The first row, if there is one."""
        row: Row | None = self._connection.execute(query, parameters).fetchone()
        return row

    async def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows."""
        return self._connection.execute(query, parameters).fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
