"""An ejabberd of the tests' own, with a node."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import needs
from ejabberd_places import running_on_ejabberd
from ejabberd_server import EjabberdServer
from places import Place


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Place, EjabberdServer]]:
    """The node and its ejabberd."""
    needs.ejabberd()
    async with running_on_ejabberd(tmp_path, log_level="warning") as (place, server):
        yield place, server
