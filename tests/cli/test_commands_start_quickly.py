"""A command loads what it needs: ejabberd starts its authentication program several times, and waits for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from heliograph.cli import COMMANDS

LARGE = ("heliograph.engines.embedded", "heliograph.node", "heliograph.server", "httpx", "PIL", "uvicorn")


def loaded(*words: str) -> set[str]:
    """Which modules a command has loaded when it has come to its end."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"sys.argv[1:] = {list(words)}\n"
        "from heliograph.cli import main\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return set(ran.stderr.decode().split())


@pytest.mark.parametrize("words", [("--version",), ("ejabberd-auth", "--help")], ids=" ".join)
def test_a_small_command_loads_no_server(words: tuple[str, ...]) -> None:
    assert loaded(*words).isdisjoint(LARGE)


def test_all_commands_are_listed() -> None:
    ran = subprocess.run([sys.executable, "-m", "heliograph.cli", "--help"], check=True, capture_output=True, text=True)
    assert all(name in ran.stdout for name in COMMANDS)
