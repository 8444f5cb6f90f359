"""Webhooks: where an app's backend is told of what happens."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from heliograph.cli.options import AppId, AsJson, ConfigFile, InSandbox
from heliograph.cli.running import app_of, environment_of, run, settings_of
from heliograph.core import limits, webhooks
from heliograph.core.webhooks import KINDS, Attempt, Webhook
from heliograph.errors import RemoteFailed
from heliograph.node import open_ports
from heliograph.settings import Settings
from heliograph.upkeep import webhook_calls
from heliograph.webhooks.delivery import send

commands = typer.Typer(no_args_is_help=True, help="Webhooks: where an app's backend is told of what happens.")

Events = Annotated[
    list[str] | None,
    typer.Option("--event", help=f"One of {', '.join(KINDS)}; may be given again. [default: all]", show_default=False),
]
WebhookId = Annotated[str, typer.Argument(help="The id that `webhook list` shows.", metavar="WEBHOOK")]


@commands.command("add")
def add(
    app_id: AppId,
    url: Annotated[str, typer.Argument(help="Where the messages go, such as https://backend.example/hooks.")],
    events: Events = None,
    in_sandbox: InSandbox = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Add a webhook, and print the secret that signs its messages. It is shown this once."""
    run(_add(settings_of(config), app_id, url, events or [], in_sandbox=in_sandbox, as_json=as_json))


async def _add(
    settings: Settings, app_id: str, url: str, events: list[str], *, in_sandbox: bool, as_json: bool
) -> None:
    environment = environment_of(in_sandbox)
    async with open_ports(settings) as ports:
        app = await app_of(ports, app_id)
        allows_private = bool(settings.webhook_networks)
        made, secret = await webhooks.add(ports, app, environment, url, events, allows_private=allows_private)
    if as_json:
        print(json.dumps({**_shown(made), "secret": secret}, indent=2))
    else:
        print(f"{made.id}  tells {made.url} of {', '.join(made.kinds)} of {environment.value} users")
        print(f"Keep this secret on your backend; it is not shown again:\n  {secret}")


@commands.command("list")
def show_all(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List webhooks, with how many messages wait, are dead letters, or were dropped because too many waited."""
    run(_list(settings_of(config), as_json=as_json))


async def _list(settings: Settings, *, as_json: bool) -> None:
    async with open_ports(settings) as ports:
        found = await ports.webhooks.list()
    if as_json:
        print(json.dumps([_shown(webhook) for webhook in found], indent=2))
        return
    for each in found:
        counts = f"{each.waiting} waiting, {each.dead} dead, {each.dropped} dropped"
        print(f"{each.id}  {each.app_id}  {each.environment.value}  {each.url}\n  {', '.join(each.kinds)}\n  {counts}")


def _shown(webhook: Webhook) -> dict[str, Any]:
    names = {"app_id": "appId", "created_at": "createdAt"}
    return {names.get(name, name): value for name, value in asdict(webhook).items()}


@commands.command("remove")
def remove(webhook_id: WebhookId, config: ConfigFile = None) -> None:
    """Remove a webhook with all messages that wait for it."""
    run(_remove(settings_of(config), webhook_id))


async def _remove(settings: Settings, webhook_id: str) -> None:
    async with open_ports(settings) as ports:
        await webhooks.remove(ports, webhook_id)


@commands.command("test")
def try_out(webhook_id: WebhookId, config: ConfigFile = None) -> None:
    """Send one message of the type `webhook.test` now. Exit status 0 means that the receiver took it."""
    run(_test(settings_of(config), webhook_id))


async def _test(settings: Settings, webhook_id: str) -> None:
    async with open_ports(settings) as ports, webhook_calls(settings) as calls:
        webhook = await webhooks.lookup(ports, webhook_id)
        chance = ports.ids.random(limits.WEBHOOK_MESSAGE_ID_BYTES)
        message = webhooks.test_message(webhook.id, chance, ports.clock.now())
        attempt: Attempt = await send(ports, calls, webhook.url, await ports.webhooks.secret(webhook.id), message)
    if attempt.problem:
        raise RemoteFailed(attempt.problem)
    print(f"{webhook.url} took {message.id}")


@commands.command("dead")
def dead(webhook_id: WebhookId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the dead letters of a webhook: what was tried in vain for about a day."""
    run(_dead(settings_of(config), webhook_id, as_json=as_json))


async def _dead(settings: Settings, webhook_id: str, *, as_json: bool) -> None:
    async with open_ports(settings) as ports:
        webhook = await webhooks.lookup(ports, webhook_id)
        found = await ports.webhooks.dead(webhook.id, limits.WEBHOOK_DEAD_MAX)
    if as_json:
        print(json.dumps([{**json.loads(each.body), "id": each.id, "problem": each.problem} for each in found]))
        return
    for each in found:
        print(f"{each.id}  {each.kind}  {each.problem}")


@commands.command("replay")
def replay(
    webhook_id: WebhookId,
    message: Annotated[str | None, typer.Option(help="The id of one message. [default: all]")] = None,
    config: ConfigFile = None,
) -> None:
    """Send dead letters again, under the ids that they had."""
    run(_replay(settings_of(config), webhook_id, message))


async def _replay(settings: Settings, webhook_id: str, message_id: str | None) -> None:
    async with open_ports(settings) as ports:
        webhook = await webhooks.lookup(ports, webhook_id)
        count = await ports.webhooks.replay(webhook.id, message_id, ports.clock.now())
    print(f"{count} messages wait again; a running node sends them")
