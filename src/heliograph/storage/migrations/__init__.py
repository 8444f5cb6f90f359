"""Numbered SQL files, applied in order, once each: one line of them for every database.

A file `0007_words_for_it.sql` takes a database from version 6 to version 7. Where databases call the same thing by
different names, the file says it with one of `Words`, in braces. A statement ends with a semicolon at the end of a
line. A file that was released is never changed; a later one mends it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_TABLE = re.compile(r"(CREATE|DROP) TABLE (\w+)")


@dataclass(frozen=True, slots=True)
class Words:
    """What one database calls the things that all databases have.

    Attributes:
        number: a primary key of 64 bits that the database hands out, never the same one twice.
        bigint: a primary key of 64 bits that the caller gives.
        bytes: a column of bytes.
        clustered: after a table, keeps its rows in the order of the primary key and spares an index of its own.
    """

    number: str
    bigint: str
    bytes: str
    clustered: str


SQLITE = Words(number="INTEGER PRIMARY KEY AUTOINCREMENT", bigint="INTEGER", bytes="BLOB", clustered="WITHOUT ROWID")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: the version that it leads to, and its statements."""

    version: int
    statements: tuple[str, ...]


def load(words: Words) -> list[Migration]:
    """All migrations in order, in the words of one database."""
    files = [entry for entry in resources.files(__name__).iterdir() if entry.name.endswith(".sql")]
    return sorted(
        (Migration(_version(entry.name), _statements(entry.read_text(encoding="utf-8"), words)) for entry in files),
        key=lambda migration: migration.version,
    )


def newest() -> int:
    """The version of this code."""
    return load(SQLITE)[-1].version


class WrittenByNewer(Exception):
    """A database has seen migrations that this code does not know."""


def pending(steps: Sequence[Migration], applied: Collection[int], *, otherwise: str) -> list[Migration]:
    """What a database lacks, in order.

    Args:
        steps: all migrations.
        applied: the versions that it has seen.
        otherwise: what to do about it but to upgrade, where it comes from a newer Heliograph.

    Raises:
        WrittenByNewer: it does.
    """
    newest, current = steps[-1].version, max(applied, default=0)
    if current > newest:
        raise WrittenByNewer(
            f"written by a newer Heliograph (schema {current}; this one knows {newest}): "
            f"upgrade Heliograph, or {otherwise}"
        )
    return [step for step in steps if step.version not in applied]


def tables() -> list[str]:
    """The names of all tables of records, each after those that it refers to: a table is made after those."""
    names: dict[str, None] = {}
    for migration in load(SQLITE):
        for match in filter(None, map(_TABLE.match, migration.statements)):
            if match[1] == "CREATE":
                names[match[2]] = None
            else:
                del names[match[2]]
    return list(names)


def _version(name: str) -> int:
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} is no name of a migration")
    return int(match[1])


def _statements(text: str, words: Words) -> tuple[str, ...]:
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    worded = re.sub(r"\{(\w+)\}", lambda match: str(getattr(words, match[1])), code)
    return tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", worded) if part.strip())
