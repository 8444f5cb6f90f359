"""The command line: run a node, see the demo, look after apps."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Coroutine
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from heliograph import demo as demonstration
from heliograph.core import apps
from heliograph.core.apps import App, ContactPolicy, Environment, KeyKind, NewApp, Policy, RegistrationPolicy
from heliograph.errors import AppInvalid, HeliographError
from heliograph.node import open_ports, run_node
from heliograph.settings import Settings
from heliograph.system.logs import configure_logs

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Heliograph: users, sessions, XMPP, live profiles.")
app_commands = typer.Typer(no_args_is_help=True, help="Apps, their keys and policies.")
main.add_typer(app_commands, name="app")

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A TOML file; HELIOGRAPH_… variables win over it.", dir_okay=False)
]
MaxSessions = Annotated[int | None, typer.Option(help="Device sessions of one user, 1 to 100.", min=1, max=100)]
Registration = Annotated[
    RegistrationPolicy | None, typer.Option(help="Who may register live users; `open` lets anyone be anybody.")
]
Contacts = Annotated[ContactPolicy | None, typer.Option(help="How live users become contacts.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command; an error that has a code is told in one line, and ends with exit status 1."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(work)
    except HeliographError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        raise typer.Exit(1) from None


def _loop_factory() -> Any:
    """Uvloop's event loop where it is installed (the extra `fast`), else the standard one."""
    try:
        import uvloop  # noqa: PLC0415 - an optional extra
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


@main.command()
def serve(config: ConfigFile = None) -> None:
    """Run a node: HTTP, WebSocket and XMPP in one process. SIGTERM or Ctrl-C stops it gracefully."""
    settings = _settings(config)
    configure_logs(settings.log_level, settings.log_format)
    _run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with run_node(settings) as node:
        print(f"Heliograph is up: {node.public_url}, XMPP on {node.xmpp_port} (STARTTLS) and {node.xmpps_port} (TLS)")
        print(f"Certificate: {node.certificate_file}", flush=True)
        await stopped.wait()


@main.command()
def demo() -> None:
    """Play the whole story on a private node over real sockets. Exit status 0 means that each promise held."""
    configure_logs("error", "text")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        raise typer.Exit(0 if runner.run(demonstration.play()) else 1)


@app_commands.command("create")
def create_app(
    name: str,
    domain: Annotated[str, typer.Option(help="The JID domain of live users.")] = "localhost",
    sandbox_domain: Annotated[
        str | None, typer.Option(help="The JID domain of sandbox users. [default: sandbox.DOMAIN]")
    ] = None,
    max_sessions: MaxSessions = None,
    registration: Registration = None,
    contacts: Contacts = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Create an app and print its keys. Secrets are shown this once; a running node knows the app at once."""
    policy = _changed(Policy(), max_sessions, registration, contacts)
    _run(_create_app(_settings(config), name, domain, sandbox_domain, policy, as_json=as_json))


async def _create_app(
    settings: Settings, name: str, domain: str, sandbox_domain: str | None, policy: Policy, *, as_json: bool
) -> None:
    async with open_ports(settings) as ports:
        made = await apps.create(ports, name, domain, sandbox_domain, policy)
    print(json.dumps(_new_app(made), indent=2) if as_json else _new_app_text(made))


def _new_app(made: NewApp) -> dict[str, Any]:
    return {
        "id": made.app.id,
        "name": made.app.name,
        "domain": made.app.domain,
        "sandboxDomain": made.app.sandbox_domain,
        "keys": {
            environment.value: {kind.value: made.keys[kind, environment] for kind in KeyKind}
            for environment in Environment
        },
        "assertionPrivateKey": json.loads(made.assertion_private_key),
    }


def _new_app_text(made: NewApp) -> str:
    lines = [f"App {made.app.name} ({made.app.id})"]
    for environment in Environment:
        lines.append(f"\n{environment.value} users live under {made.app.host(environment)}")
        lines += [f"  {kind.value + ' key':<16} {made.keys[kind, environment]}" for kind in KeyKind]
    lines.append("\nKeep these on your backend; they are not shown again:")
    lines.append(f"  assertion key    {made.assertion_private_key}")
    lines.append("  and the two secret keys above")
    return "\n".join(lines)


def _changed(
    policy: Policy,
    max_sessions: int | None,
    registration: RegistrationPolicy | None,
    contacts: ContactPolicy | None,
) -> Policy:
    """The policy with those of the options that were given."""
    return replace(
        policy,
        max_sessions=policy.max_sessions if max_sessions is None else max_sessions,
        registration=registration or policy.registration,
        contacts_live=contacts or policy.contacts_live,
    )


@app_commands.command("policy")
def set_policy(
    app_id: str,
    max_sessions: MaxSessions = None,
    registration: Registration = None,
    contacts: Contacts = None,
    config: ConfigFile = None,
) -> None:
    """Change an app's policy; options that are not given stay as they are. Without any, the policy is printed."""
    _run(_set_policy(_settings(config), app_id, max_sessions, registration, contacts))


async def _set_policy(
    settings: Settings,
    app_id: str,
    max_sessions: int | None,
    registration: RegistrationPolicy | None,
    contacts: ContactPolicy | None,
) -> None:
    async with open_ports(settings) as ports:
        app = await ports.apps.lookup(app_id)
        if app is None:
            raise AppInvalid("There is no such app", details={"field": "id"})
        wanted = _changed(app.policy, max_sessions, registration, contacts)
        app = await apps.set_policy(ports, app, wanted)
    for name, value in asdict(app.policy).items():
        print(f"{name:<18} {value}")


@app_commands.command("list")
def list_apps(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List apps with their publishable keys."""
    _run(_list_apps(_settings(config), as_json=as_json))


async def _list_apps(settings: Settings, *, as_json: bool) -> None:
    async with open_ports(settings) as ports:
        found = [(app, [key.publishable for key in keys if key.publishable]) for app, keys in await ports.apps.list()]
    if as_json:
        print(json.dumps([{**_app(app), "publishableKeys": keys} for app, keys in found], indent=2))
        return
    for app, keys in found:
        print(f"{app.id}  {app.name}  {app.domain}  {app.sandbox_domain}")
        for key in keys:
            print(f"  {key}")


def _app(app: App) -> dict[str, Any]:
    return {"id": app.id, "name": app.name, "domain": app.domain, "sandboxDomain": app.sandbox_domain}


def _settings(config: Path | None) -> Settings:
    try:
        return Settings.load(config)
    except HeliographError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
