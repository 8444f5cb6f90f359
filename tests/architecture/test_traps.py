"""Traps of the platform that were met once, and are not to be met again."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "heliograph"


def test_nothing_waits_in_a_way_that_swallows_a_cancellation() -> None:
    """`asyncio.wait_for` of Python 3.11 drops a cancellation when what it waits for is done at the same moment: a node
    hung at its stop. `asyncio.timeout` does not.
    """
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "wait_for" and isinstance(node.value, ast.Name)
        if node.value.id == "asyncio"
    ]
    assert found == []
