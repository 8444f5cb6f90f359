"""The command `heliograph`: a file a noun."""

from __future__ import annotations

import typer

from heliograph.cli import app, audit, backup, doctor, ejabberd, qr, records, serve, session, user, webhook

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Heliograph: users, sessions, XMPP, live profiles.")
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
