"""Users of an app, as its administrator sees them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from heliograph.cli.options import AppId, AsJson, ConfigFile, InSandbox, UserId
from heliograph.cli.running import backend_of, run, settings_of
from heliograph.core import account_changes, accounts, deletion, directory, limits
from heliograph.core.accounts import Account
from heliograph.core.timestamps import iso, optional_iso
from heliograph.node import open_ports
from heliograph.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="Users of an app: see, block, sign out, delete.")


@commands.command("list")
def list_all(
    app_id: AppId,
    in_sandbox: InSandbox = False,
    prefix: Annotated[str, typer.Option(help="Only identifiers that begin so.")] = "",
    after: Annotated[str, typer.Option(help="The last identifier of the page before.")] = "",
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=limits.PAGE_USERS_MAX)] = 50,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List users in the order of their identifiers."""
    found = run(_list(settings_of(config), app_id, prefix, after, limit, in_sandbox=in_sandbox))
    if as_json:
        print(json.dumps([_shown(account) for account in found], indent=2))
        return
    for each in found:
        marks = [name for name, is_so in (("blocked", each.is_blocked), ("deleted", each.is_deleted)) if is_so]
        print(f"{each.identifier:<24}  since {iso(each.created_at)}  {' '.join(marks)}".rstrip())


async def _list(
    settings: Settings, app_id: str, prefix: str, after: str, limit: int, *, in_sandbox: bool
) -> list[Account]:
    async with open_ports(settings) as ports:
        caller = await backend_of(ports, app_id, in_sandbox=in_sandbox)
        return await directory.list_accounts(ports, caller, prefix, after, limit)


@commands.command("show")
def show(
    app_id: AppId, user: UserId, in_sandbox: InSandbox = False, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Show a user."""
    account = run(_show(settings_of(config), app_id, user, in_sandbox=in_sandbox))
    shown = _shown(account)
    print(json.dumps(shown, indent=2) if as_json else "\n".join(f"{name:<14} {value}" for name, value in shown.items()))


async def _show(settings: Settings, app_id: str, user: str, *, in_sandbox: bool) -> Account:
    async with open_ports(settings) as ports:
        return await accounts.lookup(ports, await backend_of(ports, app_id, in_sandbox=in_sandbox), user)


def _shown(account: Account) -> dict[str, Any]:
    return {
        "userId": account.identifier,
        "userJid": account.jid,
        "isAdminBlocked": account.is_blocked,
        "metaData": dict(account.metadata),
        "maxSessions": account.max_sessions,
        "createdAt": iso(account.created_at),
        "expiresAt": optional_iso(account.expires_at),
        "deletedAt": optional_iso(account.deleted_at),
        "purgeAt": optional_iso(account.purge_at),
    }


@commands.command("block")
def block(app_id: AppId, user: UserId, in_sandbox: InSandbox = False, config: ConfigFile = None) -> None:
    """Block a user: all sessions end, and none begins."""
    run(_set_blocked(settings_of(config), app_id, user, in_sandbox=in_sandbox, is_blocked=True))


@commands.command("unblock")
def unblock(app_id: AppId, user: UserId, in_sandbox: InSandbox = False, config: ConfigFile = None) -> None:
    """Let a user in again."""
    run(_set_blocked(settings_of(config), app_id, user, in_sandbox=in_sandbox, is_blocked=False))


async def _set_blocked(settings: Settings, app_id: str, user: str, *, in_sandbox: bool, is_blocked: bool) -> None:
    async with open_ports(settings) as ports:
        caller = await backend_of(ports, app_id, in_sandbox=in_sandbox)
        await account_changes.set_blocked(ports, caller, user, is_blocked)


@commands.command("logout")
def logout(app_id: AppId, user: UserId, in_sandbox: InSandbox = False, config: ConfigFile = None) -> None:
    """Sign a user out everywhere."""
    run(_logout(settings_of(config), app_id, user, in_sandbox=in_sandbox))


async def _logout(settings: Settings, app_id: str, user: str, *, in_sandbox: bool) -> None:
    async with open_ports(settings) as ports:
        caller = await backend_of(ports, app_id, in_sandbox=in_sandbox)
        ended = await account_changes.end_everywhere(ports, caller, user)
    print(f"{len(ended)} sessions ended")


@commands.command("delete")
def delete(
    app_id: AppId,
    user: UserId,
    in_sandbox: InSandbox = False,
    immediately: Annotated[bool, typer.Option("--immediately", help="Without a grace period; no undo.")] = False,
    config: ConfigFile = None,
) -> None:
    """Delete a user. Within the app's grace period `undo` brings the user back."""
    run(_delete(settings_of(config), app_id, user, in_sandbox=in_sandbox, is_immediate=immediately))


async def _delete(settings: Settings, app_id: str, user: str, *, in_sandbox: bool, is_immediate: bool) -> None:
    async with open_ports(settings) as ports:
        caller = await backend_of(ports, app_id, in_sandbox=in_sandbox)
        decided = await deletion.delete(ports, caller, user, is_immediate=is_immediate)
    print(f"gone for good at {iso(decided.purge_at)}")


@commands.command("undo")
def undo(app_id: AppId, user: UserId, in_sandbox: InSandbox = False, config: ConfigFile = None) -> None:
    """Undo a deletion within its grace period; the user's sessions stay ended."""
    run(_undo(settings_of(config), app_id, user, in_sandbox=in_sandbox))


async def _undo(settings: Settings, app_id: str, user: str, *, in_sandbox: bool) -> None:
    async with open_ports(settings) as ports:
        await deletion.restore(ports, await backend_of(ports, app_id, in_sandbox=in_sandbox), user)
