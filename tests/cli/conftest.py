"""The command line as an operator uses it: every command with an event loop of its own, over one data folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph.cli import main
from heliograph.core import apps
from heliograph.core.apps import NewApp
from heliograph.node import Node, run_node
from heliograph.settings import Settings


@dataclass
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str


@dataclass
class CommandLine:
    """Runs `heliograph` over a data folder."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    async def try_(self, *words: Any) -> Said:
        """Run a command, whatever comes of it."""
        mine = {"HELIOGRAPH_DATA_DIR": str(self.folder), "COLUMNS": "200", **self.environment}
        result = await asyncio.to_thread(CliRunner().invoke, main, [str(word) for word in words], env=mine)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    async def run(self, *words: Any) -> str:
        """Run a command that succeeds; gives what it printed."""
        said = await self.try_(*words)
        assert said.status == 0, said.err
        return said.out


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"HELIOGRAPH_WEBHOOK_NETWORKS": "127.0.0.0/8"})


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node that runs over the same data."""
    mine = Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with run_node(mine) as running:
        yield running


@pytest.fixture
async def known(node: Node) -> NewApp:
    """Its app."""
    return await apps.create(node.ports, "Chat", "localhost")
