"""A node to be tormented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import bugs
from halls import Hall, open_hall


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("node")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_bugs(caplog: pytest.LogCaptureFixture) -> Iterator[list[Any]]:
    """Whatever a client sends, the node may log no error."""
    with bugs.no_bugs(caplog) as lines:
        yield lines
