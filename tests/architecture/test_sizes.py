"""Functions stop at 50 lines and files at 500. What is longer stands in size_exceptions.toml, which can only shrink."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

EXCEPTIONS = Path(__file__).with_name("size_exceptions.toml")
PRODUCT = ("src", "scripts", "benchmarks")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Limit(NamedTuple):
    """Lines to aim at, and lines to stop at."""

    aim: int
    stop: int


FUNCTION = Limit(aim=25, stop=50)
FILE = Limit(aim=300, stop=500)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Every function and method with its qualified name, nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield prefix + node.name, node
        yield from functions(node, f"{prefix}{node.name}." if isinstance(node, Function | ast.ClassDef) else prefix)


def length(function: Function) -> int:
    """Its lines from `def` to the end, without the docstring: to explain oneself costs nothing."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def file_sizes(root: Path, folders: tuple[str, ...]) -> dict[str, int]:
    """The lines of every Python file."""
    paths = [path for folder in folders for path in (root / folder).rglob("*.py")]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in paths}


def function_sizes(root: Path, folders: tuple[str, ...]) -> dict[str, int]:
    """The lines of every function, as `path::qualified name`."""
    return {
        f"{name}::{qualname}": length(function)
        for name in file_sizes(root, folders)
        for qualname, function in functions(ast.parse((root / name).read_text(encoding="utf-8")))
    }


def excess(sizes: dict[str, int], limit: Limit) -> dict[str, int]:
    """What goes beyond the stop."""
    return {name: size for name, size in sizes.items() if size > limit.stop}


def test_nothing_is_too_long_but_the_listed_exceptions_at_their_listed_size(root: Path) -> None:
    too_long = excess(function_sizes(root, PRODUCT), FUNCTION) | excess(file_sizes(root, (*PRODUCT, "tests")), FILE)
    allowed = tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))["lines"]
    grown = {name: size for name, size in too_long.items() if size > allowed.get(name, 0)}
    shrunk = {name: too_long.get(name) for name, size in allowed.items() if too_long.get(name, 0) < size}
    assert not grown, f"too long, cut it where it has a seam: {grown}"
    assert not shrunk, f"shorter than {EXCEPTIONS.name} says, lower it there or take it out: {shrunk}"


def test_the_aims_are_reported(root: Path, remark: Callable[[str], None]) -> None:
    for what, limit, sizes in (
        ("functions", FUNCTION, function_sizes(root, ("src",))),
        ("files", FILE, file_sizes(root, ("src",))),
    ):
        above = sorted((size for size in sizes.values() if size > limit.aim), reverse=True)
        longest = max(sizes, key=lambda name: sizes[name])
        remark(f"{what} above {limit.aim} lines: {len(above)} of {len(sizes)}, longest {sizes[longest]}: {longest}")
