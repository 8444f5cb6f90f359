"""The command `heliograph`: a file a noun."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from heliograph.cli import app, audit, backup, doctor, ejabberd, qr, records, serve, session, user, webhook

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Heliograph: users, sessions, XMPP, live profiles.")


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


main.command()(serve.serve)
main.command()(serve.demo)
main.command()(doctor.doctor)
main.command()(backup.backup)
main.command()(records.migrate)
main.command()(records.export)
main.command("import")(records.import_)
main.add_typer(app.commands, name="app")
main.add_typer(user.commands, name="user")
main.add_typer(session.commands, name="session")
main.add_typer(webhook.commands, name="webhook")
main.add_typer(audit.commands, name="audit")
main.add_typer(qr.commands, name="qr")
main.add_typer(ejabberd.commands, name="ejabberd")
main.command("ejabberd-auth")(ejabberd.auth)
