"""A port stays narrow, so that a further adapter stays possible."""

from __future__ import annotations

import ast
from pathlib import Path

MAX_METHODS = 8


def _ports(package: Path) -> dict[str, list[str]]:
    """Every protocol of `core/ports.py` and its parts by noun with the names of its methods."""
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in (package / "core").glob("*ports.py")]
    classes = [node for module in modules for node in module.body if isinstance(node, ast.ClassDef)]
    return {
        node.name: [part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
        for node in classes
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }


def test_a_port_has_at_most_eight_methods(package: Path) -> None:
    ports = _ports(package)
    assert {"Engine", "ContactStore"} <= ports.keys()
    assert {name: methods for name, methods in ports.items() if not 1 <= len(methods) <= MAX_METHODS} == {}
