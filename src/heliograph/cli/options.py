"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="A TOML file; HELIOGRAPH_… variables win over it.",
        envvar="HELIOGRAPH_CONFIG",
        dir_okay=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
AppId = Annotated[str, typer.Argument(help="The app's id, as `app list` shows it.", metavar="APP")]
InSandbox = Annotated[bool, typer.Option("--sandbox", help="Sandbox users, rather than live ones.")]
UserId = Annotated[str, typer.Argument(help="The user's identifier.", metavar="USER")]
