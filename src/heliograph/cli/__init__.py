"""The command `heliograph`: a file a noun. Each is loaded when it is called, so that small ones start quickly."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
import typer.core
import typer.main

COMMANDS: Mapping[str, str] = {
    "serve": "serve:serve",
    "demo": "serve:demo",
    "doctor": "doctor:doctor",
    "backup": "backup:backup",
    "migrate": "records:migrate",
    "export": "records:export",
    "import": "records:import_",
    "ejabberd-auth": "ejabberd_auth:auth",
    "app": "app:commands",
    "user": "user:commands",
    "session": "session:commands",
    "webhook": "webhook:commands",
    "audit": "audit:commands",
    "qr": "qr:commands",
    "ejabberd": "ejabberd:commands",
}
"""By name, the module below this one in which a command, or a group of them, is found, and what it is called there."""


class _Commands(typer.core.TyperGroup):
    """All commands, of which only those are loaded that are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is the library's
        """Their names, in the order in which `--help` shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; `None` if there is none."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.add_command(_loaded(cmd_name), cmd_name)
        return super().get_command(ctx, cmd_name)


def _loaded(name: str) -> Any:
    module, _, attribute = COMMANDS[name].partition(":")
    found = getattr(import_module(f"{__name__}.{module}"), attribute)
    around = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]


main = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    help="Heliograph: users, sessions, XMPP, live profiles.",
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"heliograph {version('heliograph')}")
        raise typer.Exit


@main.callback()
def options(
    is_version_asked: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Heliograph: users, sessions, XMPP, live profiles."""
