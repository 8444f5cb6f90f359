"""What every test shares: the event loop's name, and a closing line that counts and names what was skipped."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, one loop at a time."""
    return "asyncio"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count and name the skipped tests: a test that nobody runs should not be forgotten."""
    skipped = terminalreporter.stats.get("skipped", [])
    names = sorted({report.nodeid for report in skipped})
    terminalreporter.write_line(f"skipped tests: {len(skipped)}" + "".join(f"\n  {name}" for name in names))
