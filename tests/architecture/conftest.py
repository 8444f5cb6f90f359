"""The project as files: what the architecture tests read, and what they have to say at the end without failing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

REMARKS = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder of the package `heliograph`."""
    return ROOT / "src" / "heliograph"


@pytest.fixture(scope="session")
def documents() -> list[Path]:
    """Every page that a person reads: those at the top, and those of docs/."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.fixture
def remark(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line at the end of the run."""
    return pytestconfig.stash.setdefault(REMARKS, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the remarks."""
    for line in config.stash.get(REMARKS, []):
        terminalreporter.write_line(line)
