"""All tables of a PostgreSQL database at once: as they stand at one moment, and filled from a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from heliograph.storage import migrations
from heliograph.storage.interchange import Table
from heliograph.storage.postgres.connection import MIGRATION_LOCK, connect_here, unusable
from heliograph.storage.rows import Row

_FETCH_ROWS = 500
_NUMBERED = """
SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)
FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'
"""


class _Tables:
    """The source and the target of `interchange` over a connection inside a transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._sequences = {table: sequence for table, _column, sequence in connection.execute(_NUMBERED)}

    @property
    def version(self) -> int:
        """The version of the tables; 0 where there are none."""
        if self._connection.execute("SELECT to_regclass('schema_versions')").fetchone() == (None,):
            return 0
        found = self._connection.execute("SELECT MAX(version) FROM schema_versions").fetchone()
        return int(found[0] or 0) if found else 0

    def tables(self) -> Iterator[tuple[Table, Iterable[Row]]]:
        """Each table with its rows, some hundred at a time."""
        for name in migrations.tables():
            with self._connection.cursor(name=f"export_{name}") as rows:
                rows.itersize = _FETCH_ROWS
                rows.execute(SQL("SELECT * FROM {}").format(Identifier(name)))
                yield Table(name, self.columns(name), self._counter(name)), rows

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table."""
        found = self._connection.execute(SQL("SELECT * FROM {} LIMIT 0").format(Identifier(name)))
        return tuple(column.name for column in found.description or ())

    def _counter(self, name: str) -> int | None:
        """The highest number given out. A sequence stands outside of transactions, so it is never behind the rows."""
        if name not in self._sequences:
            return None
        sequence = Identifier(*self._sequences[name].split("."))
        found = self._connection.execute(SQL("SELECT last_value, is_called FROM {}").format(sequence)).fetchone()
        return int(found[0]) if found and found[1] else None

    def fill(self, table: Table, rows: Iterator[Row]) -> None:
        """Add all rows of a table, and the number that its next row has to be above."""
        columns = SQL(", ").join(map(Identifier, table.columns))
        into = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), columns)
        with self._connection.cursor() as cursor:
            with cursor.copy(into) as copy:
                for row in rows:
                    copy.write_row(row)
            if table.counter is not None:
                cursor.execute("SELECT setval(%s, %s)", (self._sequences[table.name], table.counter))

    def first_filled(self) -> str | None:
        """The name of a table that has a row; `None` where none has."""
        for name in migrations.tables():
            if self._connection.execute(SQL("SELECT 1 FROM {} LIMIT 1").format(Identifier(name))).fetchone():
                return name
        return None


@contextmanager
def reading(url: str) -> Iterator[_Tables]:
    """A database as it stands at one moment, while others read and write it.

    Raises:
        SettingsInvalid: it is out of reach, or cannot be read.
    """
    with _transaction(url, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY") as connection:
        yield _Tables(connection)


@contextmanager
def filling(url: str) -> Iterator[_Tables]:
    """A database inside one transaction, which is committed at the end unless something is raised. Who fills holds the
    lock of who migrates, so no two fill at once.

    Raises:
        SettingsInvalid: it is out of reach, or what it is filled with does not fit together.
    """
    with _transaction(url, f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})") as connection:
        yield _Tables(connection)


@contextmanager
def _transaction(url: str, first: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with connect_here(url) as connection, connection.transaction():
            connection.execute(first.encode())
            # A large table takes as long as it takes, and as whoever reads or gives the stream.
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection
    except psycopg.Error as error:
        raise unusable(str(error).strip()) from None  # the cause may name the URL, and with it the password
