"""What is secret is compared in constant time: `hmac.compare_digest`, never `==`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

SECRET = re.compile(r"(^|_)(secret|password|nonce|proof|signature|check_code|digest|stored_key|sha256|verifier)$")
"""Names of what a caller has to know, or what is made of it."""
CLIENT = "sdk"
"""The client compares what is its own."""
NO_SECRET = {"scram.py": "nonce"}
"""A nonce of SCRAM travels in the clear (RFC 5802, section 5)."""


def names(node: ast.expr) -> list[str]:
    """What an operand is called."""
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Name):
        return [node.id]
    return [*names(node.func)] if isinstance(node, ast.Call) else []


def is_literal(node: ast.expr) -> bool:
    """Whether an operand is a constant: whether something is there is no secret."""
    return isinstance(node, ast.Constant)


def suspects(path: Path) -> list[str]:
    """The lines that compare something secret with `==`, `!=` or `in`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        is_equality = any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        named = {name for each in operands for name in names(each)} - {NO_SECRET.get(path.name)}
        is_secret = any(SECRET.search(name) for name in named)
        if is_equality and is_secret and not any(is_literal(each) for each in operands):
            found.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    return found


def test_no_secret_is_compared_with_an_operator(package: Path) -> None:
    paths = [path for path in package.rglob("*.py") if CLIENT not in path.relative_to(package).parts]
    assert [line for path in paths for line in suspects(path)] == []


def test_the_check_finds_what_it_is_for(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("def f(a, b):\n    return a.secret == b or a.password != b or a.secret == '' or a.name == b\n")
    assert len(suspects(sample)) == 2
