"""ARCHITECTURE.md lists every folder and module of the package that exists, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

ENTRY = re.compile(r"^(?P<indent> +)(?P<name>[\w.]+/?)(?: +(?P<purpose>\S.*))?$")
INDENT = 2


class Entry(NamedTuple):
    """A line of the map: a path below the package (a folder ends with `/`), and what is said of it."""

    path: str
    purpose: str


def drawn(page: str) -> list[Entry]:
    """Read the fenced tree that begins with `src/heliograph/`."""
    tree = page.split("```text\nsrc/heliograph/\n", 1)[1].split("```", 1)[0]
    entries: list[Entry] = []
    folders: list[str] = []
    for line in tree.splitlines():
        match = ENTRY.match(line)
        assert match, f"not a line of the map: {line!r}"
        depth = len(match["indent"]) // INDENT
        del folders[depth - 1 :]
        entries.append(Entry("".join(folders) + match["name"], match["purpose"] or ""))
        if match["name"].endswith("/"):
            folders.append(match["name"])
    return entries


def existing(package: Path) -> dict[str, Path]:
    """Every folder and module; a folder stands for its own `__init__.py`."""
    modules = [path for path in package.rglob("*.py") if path.name != "__init__.py" or path.parent == package]
    folders = [path.parent for path in package.rglob("__init__.py") if path.parent != package]
    found = {path.relative_to(package).as_posix(): path for path in modules}
    return found | {path.relative_to(package).as_posix() + "/": path / "__init__.py" for path in folders}


def suggestion(path: Path, name: str) -> str:
    """A line to paste: the name and the first sentence of the module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return f"{name:40} {docstring.splitlines()[0] if docstring else ''}"


def test_the_map_is_the_tree(root: Path, package: Path) -> None:
    on_map = {entry.path for entry in drawn((root / "ARCHITECTURE.md").read_text(encoding="utf-8"))}
    on_disk = existing(package)
    missing = [suggestion(on_disk[name], name) for name in sorted(on_disk.keys() - on_map)]
    gone = sorted(on_map - on_disk.keys())
    assert not missing, "ARCHITECTURE.md lacks:\n" + "\n".join(missing)
    assert not gone, f"ARCHITECTURE.md names what does not exist: {gone}"


def test_every_line_of_the_map_says_what_it_is_for(root: Path) -> None:
    entries = drawn((root / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert [entry.path for entry in entries if not entry.purpose] == []
    assert len({entry.path for entry in entries}) == len(entries)


def test_every_folder_with_modules_is_a_package(package: Path) -> None:
    folders = {path.parent for path in package.rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
