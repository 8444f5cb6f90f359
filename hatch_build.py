"""Builds `web/` into the package when an sdist is made, so that whoever builds a wheel of the sdist needs no Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("src/heliograph/server/static")


class WebBuildHook(BuildHookInterface[Any]):
    """Runs npm where the files of the web are not there yet, and this is no editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface is hatchling's
        """Build, or find built, what a node serves to browsers."""
        root = Path(self.root)
        if version == "editable" or (root / BUILT / "sdk" / "heliograph.js").exists():
            return
        npm, node = shutil.which("npm"), shutil.which("node")
        if npm is None or node is None or not (root / "web").exists():
            raise RuntimeError("the browser SDK and the pages are built with Node 20 or newer, which is not here")
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=root / "web", check=True)  # noqa: S603 - our own
        subprocess.run([node, "build.mjs"], cwd=root / "web", check=True)  # noqa: S603 - our own
