"""The types of the browser SDK are made from the code, and are fresh."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_the_types_of_the_browser_sdk_are_fresh(root: Path) -> None:
    generator = runpy.run_path(str(root / "scripts" / "sdk_types.py"))
    written = (root / "web" / "sdk" / "wire.ts").read_text(encoding="utf-8")
    assert written == generator["generate"](), "run `make docs`: web/sdk/wire.ts is stale"
