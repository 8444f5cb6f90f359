"""The audit trail: what happened, and whether the record of it is whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from heliograph.cli.options import AppId, AsJson, ConfigFile, InSandbox
from heliograph.cli.running import app_of, environment_of, run, settings_of
from heliograph.core import audit, limits
from heliograph.core.apps import Environment
from heliograph.core.audit import Entry, Head
from heliograph.core.timestamps import iso
from heliograph.node import open_ports
from heliograph.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="The audit trail: what happened, and whether it is whole.")

_NEWEST = 2**62


@commands.command("list")
def show(
    app_id: AppId,
    user: Annotated[str | None, typer.Option(help="Only what concerns this user.")] = None,
    in_sandbox: InSandbox = False,
    before: Annotated[int, typer.Option(help="Only entries with smaller numbers, for the next page.", min=1)] = _NEWEST,
    limit: Annotated[int, typer.Option(help="How many entries.", min=1, max=limits.AUDIT_PAGE_MAX)] = 50,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List entries of an app's trail, the newest first."""
    environment = environment_of(in_sandbox)
    run(_show(settings_of(config), app_id, environment, user, before, limit, as_json=as_json))


async def _show(
    settings: Settings,
    app_id: str,
    environment: Environment,
    user: str | None,
    before: int,
    limit: int,
    *,
    as_json: bool,
) -> None:
    async with open_ports(settings) as ports:
        app = await app_of(ports, app_id)
        if user is None:
            found = await ports.audit.of_app(app.id, environment, before, limit)
        else:
            found = await ports.audit.of_user(f"{user}@{app.host(environment)}", 0.0, before, limit)
    for entry in found:
        print(json.dumps(_shown(entry)) if as_json else _line(entry))


def _shown(entry: Entry) -> dict[str, object]:
    event = entry.event
    return {
        "number": entry.number,
        "at": iso(event.at),
        "kind": event.kind.value,
        "userJid": event.owner.jid,
        "sessionId": event.session_id,
        **event.facts,
        "hash": entry.hash.hex(),
    }


def _line(entry: Entry) -> str:
    event = entry.event
    facts = " ".join(f"{name}={value}" for name, value in event.facts.items())
    subject = " ".join(filter(None, (event.owner.jid, event.session_id)))
    return f"{entry.number:>8}  {iso(event.at)}  {event.kind.value:<20}  {subject}  {facts}".rstrip()


@commands.command("verify")
def verify(
    app_id: Annotated[str | None, typer.Argument(help="The app. [default: all]", metavar="APP")] = None,
    noted: Annotated[
        str | None,
        typer.Option("--head", help="A head that was printed earlier, and kept elsewhere."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Check that no entry was edited, removed or moved. Exit status 0 means that all chains are whole.

    It prints the head of each chain. Keep it somewhere else: who can rewrite a whole chain cannot make one that has an
    earlier head in it.
    """
    if not run(_verify(settings_of(config), app_id, None if noted is None else _head(noted))):
        raise typer.Exit(1)


async def _verify(settings: Settings, app_id: str | None, noted: Head | None) -> bool:
    is_whole = True
    async with open_ports(settings) as ports:
        found = [(await app_of(ports, app_id)).id] if app_id else [app.id for app, _ in await ports.apps.list()]
        for each in found:
            head, problem = await audit.verify(ports.audit, each, noted)
            is_whole = is_whole and problem is None
            print(f"{each}  {head.number}:{head.hash.hex()}  {problem or 'whole'}")
    return is_whole


def _head(text: str) -> Head:
    number, _, digest = text.partition(":")
    try:
        return Head(int(number), bytes.fromhex(digest))
    except ValueError:
        raise typer.BadParameter("a head is a number, a colon and 64 hexadecimal digits", param_hint="--head") from None
