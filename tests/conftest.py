"""What every test shares: the event loop, how many examples a property gets, and a closing line about skipped tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("quick")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, one loop at a time."""
    return "asyncio"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count and name the skipped tests: a test that nobody runs should not be forgotten."""
    skipped = terminalreporter.stats.get("skipped", [])
    names = sorted({report.nodeid for report in skipped})
    terminalreporter.write_line(f"skipped tests: {len(skipped)}" + "".join(f"\n  {name}" for name in names))
