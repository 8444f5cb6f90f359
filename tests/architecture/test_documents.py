"""What the pages say exists: targets of make, links, commands, generated pages; and every public name is explained."""

from __future__ import annotations

import ast
import pkgutil
import re
import runpy
from pathlib import Path

import pytest

import heliograph
from heliograph.settings import Settings

MEASURED = {"benchmarks.md", "benchmarks-peers.svg", "benchmarks-growth.svg"}
"""What `make bench-peers` and `make bench-growth` write; each run measures anew."""

DOCUMENTED = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(tree: ast.Module | ast.ClassDef, where: str) -> list[tuple[str, DOCUMENTED]]:
    found: list[tuple[str, DOCUMENTED]] = []
    for node in tree.body:
        if isinstance(node, DOCUMENTED) and not node.name.startswith("_"):
            found.append((f"{where}::{node.name}", node))
            if isinstance(node, ast.ClassDef):
                found += _public(node, f"{where}::{node.name}")
    return found


def _is_overload(node: DOCUMENTED) -> bool:
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in node.decorator_list)


def test_every_public_name_of_the_package_has_a_docstring(package: Path) -> None:
    missing = []
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        where = path.relative_to(package).as_posix()
        missing += [] if ast.get_docstring(tree) else [where]
        missing += [name for name, node in _public(tree, where) if not (_is_overload(node) or ast.get_docstring(node))]
    assert missing == []


def test_the_public_face_exports_names_that_exist_and_are_explained() -> None:
    exported = getattr(heliograph, "__all__", [])
    assert sorted(exported) == list(exported)
    for name in exported:
        assert getattr(heliograph, name).__doc__, name


def test_every_make_target_that_a_page_names_exists(root: Path, documents: list[Path]) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in documents:
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|^\s*\$?\s*)make ([a-z]+)", text, re.MULTILINE))
        assert named <= targets, page.name


def test_the_targets_of_the_house_exist_and_are_explained(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    for target in ("setup", "demo", "serve", "test", "lint", "docs", "bench"):
        assert re.search(rf"^{target}:.* ## \S", makefile, re.MULTILINE), target


def test_every_relative_link_leads_somewhere(documents: list[Path]) -> None:
    for page in documents:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r"(?:src|href|srcset)=\"([^\"#]+)\"", text)
        for link in links:
            if not re.match(r"[a-z]+:", link):
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_file_that_a_page_names_exists(root: Path, documents: list[Path]) -> None:
    inside = r"`((?:src|tests|docs|scripts|benchmarks)/[\w./-]+)`"
    for page in documents:
        if page.name == "CHANGELOG.md":  # it also speaks of what is gone
            continue
        for name in re.findall(inside, page.read_text(encoding="utf-8")):
            assert (root / name).exists(), f"{page.name}: {name}"


def test_every_dotted_name_in_a_page_is_one_of_the_package(package: Path, documents: list[Path]) -> None:
    parts = {path.stem for path in package.iterdir() if path.is_dir() or path.suffix == ".py"}
    # In pages for apps' authors `sdk` is the object that they have made.
    inside = re.compile(rf"`((?:{'|'.join(sorted(parts - {'__init__', '__pycache__', 'sdk'}))})(?:\.\w+)+)`")
    for page in documents:
        for name in inside.findall(page.read_text(encoding="utf-8")):
            assert _is_found(f"heliograph.{name}"), f"{page.name}: {name}"


def _is_found(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def _generated(root: Path) -> dict[str, str]:
    pages: dict[str, str] = {}
    for script in ("reference_pages.py", "xmpp_pages.py", "cli_page.py"):
        pages |= runpy.run_path(str(root / "scripts" / script))["generate"]()
    return pages


def test_the_generated_pages_are_fresh(root: Path) -> None:
    pages = _generated(root)
    assert pages
    for name, text in pages.items():
        assert (root / "docs" / "reference" / name).read_text(encoding="utf-8") == text, (
            f"run `make docs`: {name} is stale"
        )


def test_every_page_of_the_reference_is_generated_or_measured(root: Path) -> None:
    there = {path.name for path in (root / "docs" / "reference").iterdir()}
    assert there - MEASURED == set(_generated(root))


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_explained(name: str) -> None:
    assert Settings.model_fields[name].description
