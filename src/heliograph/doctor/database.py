"""Is the database whole, of this version, and can it be written?"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from heliograph.doctor.findings import Finding, ok, problem
from heliograph.storage import migrations

SUBJECT = "database"
_RESTORE = "Stop the node, keep a copy of the data folder, and restore the last backup."


def look(path: Path) -> list[Finding]:
    """What there is to say of a database file; it may be in use."""
    if not path.exists():
        return [ok(SUBJECT, f"{path} will be made at the first start")]
    try:
        with closing(sqlite3.connect(path, timeout=5.0, isolation_level=None)) as connection:
            return [*_whole(connection), *_version(connection), *_writable(connection)]
    except sqlite3.Error as error:
        return [problem(SUBJECT, f"{path}: {error}", _RESTORE)]


def domains(path: Path) -> list[str]:
    """The JID domains of all apps; none where the database cannot tell."""
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return [name for (name,) in connection.execute("SELECT domain FROM domains ORDER BY domain")]
    except sqlite3.Error:
        return []


def newest_entry(path: Path) -> float:
    """The time of the newest entry in the audit trail; 0.0 where the database cannot tell."""
    if not path.exists():
        return 0.0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            query = "SELECT MAX(e.at) FROM audit_heads h JOIN audit e ON e.app_id = h.app_id AND e.number = h.number"
            return float(connection.execute(query).fetchone()[0] or 0.0)
    except sqlite3.Error:
        return 0.0


def schema(present: Collection[int], *, otherwise: str) -> Finding:
    """Whether a database is of this code's version.

    Args:
        present: the migrations that it has seen.
        otherwise: what to do but to upgrade, where it comes from a newer Heliograph.
    """
    known = {step.version for step in migrations.load(migrations.SQLITE)}
    if newer := {*present} - known:
        text = f"written by a newer Heliograph (schema {max(newer)})"
        return problem(SUBJECT, text, f"Upgrade Heliograph, or {otherwise}.")
    if known - {*present}:
        return ok(SUBJECT, "of an earlier version; the next start brings it up to date")
    return ok(SUBJECT, f"of this version (schema {max(present)})")


def _whole(connection: sqlite3.Connection) -> list[Finding]:
    faults = [text for (text,) in connection.execute("PRAGMA quick_check(3)") if text != "ok"]
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    if faults or orphans:
        return [problem(SUBJECT, f"damaged: {'; '.join(faults) or f'{len(orphans)} rows without parent'}", _RESTORE)]
    return [ok(SUBJECT, "whole")]


def _version(connection: sqlite3.Connection) -> list[Finding]:
    present = {version for (version,) in connection.execute("SELECT version FROM schema_versions")}
    return [schema(present, otherwise="choose another data folder")]


def _writable(connection: sqlite3.Connection) -> list[Finding]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        advice = "Give the node's user the data folder, and look for a process that holds the database."
        return [problem(SUBJECT, f"cannot be written: {error}", advice)]
    return [ok(SUBJECT, "can be written")]
