"""What every test shares: the event loop, how many examples a property gets, and a closing line about skipped tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

import postgres_server
import redis_server

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("quick")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, one loop at a time."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of the tests' own; the URL ends before a database's name."""
    if postgres_server.program("postgres") is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with postgres_server.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis or Valkey server of the tests' own."""
    if redis_server.program() is None:
        pytest.skip("there is no Redis or Valkey on this machine")
    with redis_server.redis_server() as server:
        yield server.url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count and name the skipped tests: a test that nobody runs should not be forgotten."""
    skipped = terminalreporter.stats.get("skipped", [])
    names = sorted({report.nodeid for report in skipped})
    terminalreporter.write_line(f"skipped tests: {len(skipped)}" + "".join(f"\n  {name}" for name in names))
