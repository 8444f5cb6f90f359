"""No test may make a node log an error: that would be a bug, whatever the client was told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog


@contextmanager
def no_bugs(caplog: pytest.LogCaptureFixture) -> Iterator[list[Any]]:
    """Collect the lines that a node logs; at the end none may be an error."""
    with structlog.testing.capture_logs() as lines:
        yield lines
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert [error for error in errors if not _is_of_slixmpp(error)] == []


def _is_of_slixmpp(error: str) -> bool:
    """Whether the event loop complains of what slixmpp left behind in a test before this one."""
    return "Task was destroyed but it is pending" in error and "XMLStream.run_filters" in error
