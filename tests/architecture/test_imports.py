"""Imports point down, and the pure rooms have neither clock nor chance. The rules stand in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

RUFF = Path(sys.executable).with_name("ruff")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def test_import_contracts_hold(root: Path) -> None:
    # In a process of its own: the linter would configure the logging of this one.
    checked = subprocess.run([LINT_IMPORTS, "--no-cache"], text=True, cwd=root, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_new_module_has_to_take_its_place_in_the_layers(root: Path) -> None:
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert [contract["exhaustive"] for contract in contracts if contract["type"] == "layers"] == [True]


@pytest.mark.parametrize("room", ["core/accounts.py", "xmpp/c2s.py", "wire/accounts.py", "errors/base.py"])
@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "import random",
        "from os import urandom",
        "from uuid import uuid4",
        "from secrets import token_bytes",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as when\nwhen.date.today()",
    ],
)
def test_the_linter_refuses_clock_and_chance_in_a_pure_room(root: Path, package: Path, room: str, code: str) -> None:
    found = subprocess.run(
        [RUFF, "check", "--select", "TID251", "--no-cache", "--stdin-filename", package / room, "-"],
        input=code,
        text=True,
        cwd=root,
        capture_output=True,
        check=False,
    )
    assert "TID251" in found.stdout


def test_no_pure_module_is_excused_from_that(package: Path) -> None:
    pure = [path for room in ("core", "xmpp", "wire", "errors") for path in package.glob(f"{room}/**/*.py")]
    excused = [path.name for path in pure if "TID251" in path.read_text(encoding="utf-8")]
    assert excused == []
