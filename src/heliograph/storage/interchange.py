"""All records of an installation as one stream of lines, to move it from one database to another.

The format, version 1, is JSON Lines (UTF-8, one JSON value a line):

1. a header: `{"heliographExport": 1, "schema": 16, "secret": "…"}` with the version of the tables and the secret of the
   installation (base64), or `null` where there is none;
2. for each table, in an order in which a row comes after those that it refers to: `{"table": "accounts", "columns":
   ["id", …], "counter": 17}`, then its rows, each a list of values in the order of the columns. `counter` is the
   highest number that the table's identity column ever gave out, `null` where it has none. Bytes are
   `{"base64": "…"}`;
3. an end: `{"rows": 120, "sha256": "…"}` with the number of rows and the hash of all bytes before this line.

Both sides hold a few hundred rows at a time. What is read is good only when the end was reached and agreed with it, so
a target takes it in one transaction.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeAlias

from heliograph.errors import SettingsInvalid
from heliograph.storage.rows import Row

FORMAT = 1
LINE_MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """What a stream begins with: the version of the tables, and the installation's secret if it had one."""

    schema: int
    secret: bytes | None


@dataclass(frozen=True, slots=True)
class Table:
    """The head of a table: its columns in the order of the rows, and the highest number that it ever gave out."""

    name: str
    columns: tuple[str, ...]
    counter: int | None


Part: TypeAlias = Header | Table | Row


class Source(Protocol):
    """A database as it stands at one moment."""

    def tables(self) -> Iterator[tuple[Table, Iterable[Row]]]:
        """Each table with its rows; a table comes after those that it refers to."""
        ...


class Target(Protocol):
    """A database without a row, inside one transaction."""

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table."""
        ...

    def fill(self, table: Table, rows: Iterator[Row]) -> None:
        """Add all rows of a table, and let its next number be one that was never given out."""
        ...


def write(source: Source, header: Header, output: Callable[[bytes], object]) -> int:
    """Write a stream, a line with its line feed at a time; how many rows it has."""
    digest = hashlib.sha256()
    count = 0

    def line(value: object) -> None:
        encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode() + b"\n"
        digest.update(encoded)
        output(encoded)

    secret = None if header.secret is None else base64.b64encode(header.secret).decode()
    line({"heliographExport": FORMAT, "schema": header.schema, "secret": secret})
    for table, rows in source.tables():
        line({"table": table.name, "columns": table.columns, "counter": table.counter})
        for row in rows:
            count += 1
            line(tuple(row))
    line({"rows": count, "sha256": digest.hexdigest()})
    return count


def _plain(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(type(value).__name__)


def read(lines: Iterable[bytes]) -> Iterator[Part]:
    """The parts of a stream, in order: one header, then tables, each before its rows.

    Raises:
        SettingsInvalid: the stream is none of this format, or not as it was written. What came before is worth nothing.
    """
    digest = hashlib.sha256()
    count = 0
    for number, encoded in enumerate(lines, 1):
        value = _value(encoded, number)
        if isinstance(value, list):
            count += 1
            yield tuple(map(_rich, value))
        elif "sha256" in value:
            if (value.get("rows"), value["sha256"]) != (count, digest.hexdigest()):
                _refuse(number, "its rows are not those that were written")
            return
        else:
            yield _head(value, number)
        digest.update(encoded)
    _refuse(0, "it ends before its end")


def _value(encoded: bytes, number: int) -> Any:
    if len(encoded) > LINE_MAX_BYTES:
        _refuse(number, "it is too long")
    try:
        value = json.loads(encoded)
    except ValueError:
        value = None
    if not isinstance(value, list if number > 1 and encoded.startswith(b"[") else dict):
        _refuse(number, "it is no line of an export")
    return value


def _head(value: dict[str, Any], number: int) -> Header | Table:
    try:
        if number > 1:
            return Table(str(value["table"]), tuple(map(str, value["columns"])), value["counter"])
        if value["heliographExport"] != FORMAT:
            _refuse(number, f"its format is {value['heliographExport']}; this Heliograph reads {FORMAT}")
        secret = value["secret"]
        return Header(int(value["schema"]), None if secret is None else base64.b64decode(secret, validate=True))
    except (KeyError, TypeError, binascii.Error):
        _refuse(number, "it is no line of an export")


def _rich(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def load(target: Target, parts: Iterator[Part], tables: Sequence[str]) -> int:
    """Put all tables of a stream, whose header was taken, into a database; how many rows these were.

    Args:
        target: the database.
        parts: what follows the header.
        tables: the names of the tables that there are, all of which the stream has in this order.

    Raises:
        SettingsInvalid: the stream is damaged, or its tables are others. Nothing of it may be kept.
    """
    rows = _Rows(parts)
    for name in tables:
        table = rows.table
        if table is None or table.name != name:
            _refuse(0, f"the table {name} is not where it should be")
        if sorted(table.columns) != sorted(target.columns(name)):
            _refuse(0, f"the columns of {name} are others")
        target.fill(table, rows)
        if rows.table is table:
            raise RuntimeError("A target has to take all rows of a table")
    if rows.table is not None:
        _refuse(0, f"the table {rows.table.name} is unknown")
    return rows.count


class _Rows:
    """The rows of one table after the other."""

    def __init__(self, parts: Iterator[Part]) -> None:
        self._parts = parts
        self.count = 0
        self.table: Table | None = None
        self._next_table()

    def _next_table(self) -> None:
        part = next(self._parts, None)
        if isinstance(part, tuple | Header):
            _refuse(0, "its first row has no table")
        self.table = part

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        part = next(self._parts, None)
        if isinstance(part, tuple):
            self.count += 1
            return part
        self.table = part if isinstance(part, Table) else None
        raise StopIteration


def _refuse(number: int, reason: str) -> NoReturn:
    where = f"line {number}: " if number else ""
    raise SettingsInvalid(f"The export is damaged, or none: {where}{reason}")
