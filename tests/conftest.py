"""What every test shares: the event loop, how many examples a property gets, a closing line about skipped tests, and
what keeps the whole run short.
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from hypothesis import settings

import needs
import postgres_server
import redis_server

settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)  # the same in each run
settings.register_profile("thorough", max_examples=2000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("quick")


_MEMORY = Path("/dev/shm")
_MEMORY_MIN_BYTES = 1024 * 1024 * 1024


def _has_room_in_memory() -> bool:
    """Whether there is a file system in memory with room for the files of the tests, and for their programs to run."""
    try:
        facts = os.statvfs(_MEMORY)
    except OSError:
        return False
    is_usable = os.access(_MEMORY, os.W_OK) and not facts.f_flag & os.ST_NOEXEC
    return is_usable and facts.f_bavail * facts.f_frsize >= _MEMORY_MIN_BYTES


if "TMPDIR" not in os.environ and _has_room_in_memory():  # thousands of databases need not wait for a disk
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Who trusts "the machine's certificates" trusts a single one here. OpenSSL reads the hundred and more of a real
    machine anew for each client, which takes 20 ms; no server of the tests has its certificate from one of them.
    """
    file = tmp_path_factory.mktemp("authority") / "one.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        patch.setenv("SSL_CERT_DIR", str(file.parent / "none"))
        yield


def pytest_collection_finish() -> None:
    """The garbage collector need not look through thousands of tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, one loop at a time."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of the tests' own; the URL ends before a database's name."""
    needs.postgres()
    with postgres_server.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis or Valkey server of the tests' own."""
    needs.redis()
    with redis_server.redis_server() as server:
        yield server.url


@pytest.fixture
def own_redis() -> Iterator[redis_server.RedisServer]:
    """One of a test alone, which may kill it."""
    needs.redis()
    with redis_server.redis_server() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count and name the skipped tests: a test that nobody runs should not be forgotten."""
    skipped = terminalreporter.stats.get("skipped", [])
    names = sorted({report.nodeid for report in skipped})
    terminalreporter.write_line(f"skipped tests: {len(skipped)}" + "".join(f"\n  {name}" for name in names))
