"""What not every machine has. A test that needs it is skipped where it is missing; the run counts it and names it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import balanced
import ejabberd_server
import pgbouncer_server
import postgres_server
import redis_server

_TESTS = Path(__file__).parents[1]


def postgres() -> None:
    """A PostgreSQL to start."""
    _found("PostgreSQL", postgres_server.program("postgres"), "scripts/install-databases installs it")


def pgbouncer() -> None:
    """A PgBouncer to start."""
    _found("PgBouncer", pgbouncer_server.program(), "scripts/install-databases installs it")


def redis() -> None:
    """A Redis or a Valkey to start."""
    _found("Redis or Valkey", redis_server.program(), "scripts/install-databases installs it")


def ejabberd() -> None:
    """An ejabberd to start."""
    _found("ejabberd", ejabberd_server.PROGRAM, "scripts/install-ejabberd installs it")


def haproxy() -> str:
    """Where haproxy is."""
    return _found("haproxy", balanced.program(), "scripts/install-databases installs it")


def chromium() -> Path:
    """Where Chromium is."""
    return Path(_found("Chromium", shutil.which("chromium"), "scripts/install-chromium installs it"))


def xmpp_client(name: str) -> str:
    """Where a client of another make is, one that Debian has."""
    return _found(name, shutil.which(name), "scripts/install-xmpp-clients installs it")


def npm_client(name: str) -> Path:
    """The folder of a client of another make, one that npm has."""
    folder = _TESTS / "foreign" / "node_modules" / name
    return Path(_found(name, folder if folder.is_dir() else None, "`make foreign` installs it, where Node is"))


def program(name: str) -> str:
    """Where another program is."""
    return _found(name, shutil.which(name), "the machine's packages have it")


def _found(name: str, where: str | Path | None, remedy: str) -> str:
    if where is None:
        pytest.skip(f"{name} is missing: {remedy}")
    return str(where)
