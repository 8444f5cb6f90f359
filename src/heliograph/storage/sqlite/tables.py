"""All tables of a SQLite file at once: as they stand at one moment, and filled from a stream."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from heliograph.storage import migrations
from heliograph.storage.interchange import Table
from heliograph.storage.rows import Row
from heliograph.storage.sqlite.connection import open_writer, unusable, version_of


class _Tables:
    """The source and the target of `interchange` over a connection inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def version(self) -> int:
        """The version of the tables."""
        return version_of(self._connection)

    def tables(self) -> Iterator[tuple[Table, Iterable[Row]]]:
        """Each table with its rows."""
        counters = dict(self._connection.execute("SELECT name, seq FROM sqlite_sequence"))
        for name in migrations.tables():
            rows = self._connection.execute(f"SELECT * FROM {name}")  # noqa: S608 - names of this code
            yield Table(name, self.columns(name), counters.get(name)), rows

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table."""
        return tuple(column for (column,) in self._connection.execute("SELECT name FROM pragma_table_info(?)", (name,)))

    def fill(self, table: Table, rows: Iterator[Row]) -> None:
        """Add all rows of a table, and the number that its next row has to be above."""
        places = ", ".join("?" * len(table.columns))
        into = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})"  # noqa: S608 - as compared
        self._connection.executemany(into, rows)
        if table.counter is not None:
            self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
            values = (table.name, table.counter)
            self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", values)

    def first_filled(self) -> str | None:
        """The name of a table that has a row; `None` where none has."""
        for name in migrations.tables():
            if self._connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone():  # noqa: S608
                return name
        return None


@contextmanager
def reading(path: Path) -> Iterator[_Tables]:
    """A database as it stands at one moment, while others read and write it.

    Raises:
        SettingsInvalid: there is none, or it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("BEGIN")
            yield _Tables(connection)
    except sqlite3.Error as error:
        raise unusable(path, str(error)) from error


@contextmanager
def filling(path: Path) -> Iterator[_Tables]:
    """A database of this version inside one transaction, which is committed at the end unless something is raised.

    Raises:
        SettingsInvalid: it cannot be opened, or what it is filled with does not fit together.
    """
    try:
        with closing(open_writer(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield _Tables(connection)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise unusable(path, str(error)) from error
