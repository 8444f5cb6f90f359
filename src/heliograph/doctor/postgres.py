"""Is the PostgreSQL server there, durable, of this version, and can it be written? Takes the extra `postgres`."""

from __future__ import annotations

from typing import Any

import psycopg

from heliograph.doctor import database
from heliograph.doctor.findings import Finding, ok, problem, warning
from heliograph.storage.postgres.connection import connect_here

_NO_SERVER = "Start PostgreSQL, and correct database_url."


def look(url: str) -> list[Finding]:
    """What there is to say of a server's database.

    Args:
        url: with the password, which no finding repeats.
    """
    try:
        with connect_here(url) as connection:
            return [*_version(connection), *_state(connection)]
    except psycopg.Error as error:
        return [problem(database.SUBJECT, f"PostgreSQL: {type(error).__name__}", _NO_SERVER)]


def domains(url: str) -> list[str]:
    """The JID domains of all apps; none where the database cannot tell."""
    try:
        with connect_here(url) as connection:
            return [name for (name,) in connection.execute("SELECT domain FROM domains ORDER BY domain").fetchall()]
    except psycopg.Error:
        return []


def _version(connection: psycopg.Connection[Any]) -> list[Finding]:
    if connection.execute("SELECT to_regclass('schema_versions')").fetchone() == (None,):
        return [ok(database.SUBJECT, "empty; the first start makes the tables")]
    present = {version for (version,) in connection.execute("SELECT version FROM schema_versions").fetchall()}
    return [database.schema(present, otherwise="choose another database")]


def _state(connection: psycopg.Connection[Any]) -> list[Finding]:
    found = []
    if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
        found.append(
            problem(database.SUBJECT, "a standby server, which cannot be written", "Name the primary in database_url.")
        )
    else:
        found.append(ok(database.SUBJECT, "can be written"))
    if connection.execute("SHOW fsync").fetchone() == ("off",):
        advice = "Set fsync = on: without it, a crash of the machine loses what was acknowledged."
        found.append(warning(database.SUBJECT, "the server does not wait for the disk", advice))
    return found
