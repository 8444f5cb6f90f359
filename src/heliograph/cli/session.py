"""Device sessions of a user."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from heliograph.cli.options import AppId, AsJson, ConfigFile, InSandbox, UserId
from heliograph.cli.running import backend_of, run, settings_of
from heliograph.core import accounts, sessions
from heliograph.core.sessions import EndReason, Session, describe
from heliograph.core.timestamps import iso
from heliograph.node import open_ports
from heliograph.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="Device sessions of a user: list them, end one.")


@commands.command("list")
def show(
    app_id: AppId, user: UserId, in_sandbox: InSandbox = False, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """List a user's live sessions, least recently active first."""
    found = run(_live(settings_of(config), app_id, user, in_sandbox=in_sandbox))
    if as_json:
        print(json.dumps([describe(session) for session in found], indent=2))
        return
    for each in found:
        named = ", ".join(filter(None, (each.device.device, each.device.browser, each.device.os))) or "unnamed device"
        print(f"{each.id}  {each.via.value:<8}  active {iso(each.last_active_at)}  {each.device.ip or '-'}  {named}")


async def _live(settings: Settings, app_id: str, user: str, *, in_sandbox: bool) -> list[Session]:
    async with open_ports(settings) as ports:
        account = await accounts.lookup(ports, await backend_of(ports, app_id, in_sandbox=in_sandbox), user)
        return await sessions.list_live(ports, account)


@commands.command("end")
def end(
    app_id: AppId,
    user: UserId,
    session_id: Annotated[str, typer.Argument(help="The id that `session list` shows.", metavar="SESSION")],
    in_sandbox: InSandbox = False,
    config: ConfigFile = None,
) -> None:
    """End one session, with its password and tokens; a running node closes its connections."""
    run(_end(settings_of(config), app_id, user, session_id, in_sandbox=in_sandbox))


async def _end(settings: Settings, app_id: str, user: str, session_id: str, *, in_sandbox: bool) -> None:
    async with open_ports(settings) as ports:
        account = await accounts.lookup(ports, await backend_of(ports, app_id, in_sandbox=in_sandbox), user)
        await sessions.end(ports, account, session_id, EndReason.ENDED_BY_ADMIN)
