"""The command line: run a node, see the demo, look after apps, sign in by QR code."""

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

from heliograph import SDK, QrCode, QrConsent
from heliograph import demo as demonstration
from heliograph.core import apps
from heliograph.core.apps import (
    App,
    ContactPolicy,
    Environment,
    KeyKind,
    NewApp,
    Policy,
    Proximity,
    QrFormat,
    RegistrationPolicy,
    Verification,
)
from heliograph.errors import AppInvalid, HeliographError
from heliograph.node import open_ports, run_node
from heliograph.settings import Settings
from heliograph.system.logs import configure_logs
from heliograph.wire.qr import Verify

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Heliograph: users, sessions, XMPP, live profiles.")
app_commands = typer.Typer(no_args_is_help=True, help="Apps, their keys and policies.")
main.add_typer(app_commands, name="app")
qr_commands = typer.Typer(no_args_is_help=True, help="Sign in by QR code, as any client of a node does.")
main.add_typer(qr_commands, name="qr")

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A TOML file; HELIOGRAPH_… variables win over it.", dir_okay=False)
]
MaxSessions = Annotated[int | None, typer.Option(help="Device sessions of one user, 1 to 100.", min=1, max=100)]
Registration = Annotated[
    RegistrationPolicy | None, typer.Option(help="Who may register live users; `open` lets anyone be anybody.")
]
Contacts = Annotated[ContactPolicy | None, typer.Option(help="How live users become contacts.")]
Checks = Annotated[
    Verification | None, typer.Option("--verification", help="Whether QR sign-in asks for the phone's check code.")
]
Near = Annotated[
    Proximity | None, typer.Option("--proximity", help="What if browser and phone are not on one network.")
]
Format = Annotated[
    QrFormat | None, typer.Option("--qr-format", help="Text for the app's scanner alone, or a link that cameras open.")
]
Origins = Annotated[
    list[str] | None,
    typer.Option("--origin", help="A web origin that may show QR codes; may be given again. `any` lifts the limit."),
]
Url = Annotated[str, typer.Option(help="The node's address.", envvar="HELIOGRAPH_URL")]
Key = Annotated[str, typer.Option(help="The app's publishable key.", envvar="HELIOGRAPH_KEY")]
CaFile = Annotated[
    Path | None, typer.Option(help="Certificates to trust besides the machine's, in PEM form.", dir_okay=False)
]
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


def _stop_signal() -> asyncio.Event:
    """Set by SIGINT and SIGTERM from now on."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _serve(settings: Settings) -> None:
    stopped = _stop_signal()
    async with run_node(settings) as node:
        print(f"Heliograph is up: {node.public_url}, XMPP on {node.xmpp_port} (STARTTLS) and {node.xmpps_port} (TLS)")
        print(f"Certificate: {node.certificate_file}", flush=True)
        await stopped.wait()


@main.command()
def demo(
    stays: Annotated[
        bool, typer.Option("--stay", help="Keep a node up with two users, to try the pages, until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(help="The port of the pages; 0 takes a free one.", min=0, max=65535)] = 8080,
) -> None:
    """Play the whole story on a private node over real sockets. Exit status 0 means that each promise held."""
    configure_logs("error", "text")
    if stays:
        _run(_stay(port))
        return
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        is_held = runner.run(demonstration.play())
    print("Try the pages yourself: make demo ARGS=--stay")
    raise typer.Exit(0 if is_held else 1)


async def _stay(port: int) -> None:
    await demonstration.stay(port, _stop_signal())


@app_commands.command("create")
def create_app(
    name: str,
    *,
    domain: Annotated[str, typer.Option(help="The JID domain of live users.")] = "localhost",
    sandbox_domain: Annotated[
        str | None, typer.Option(help="The JID domain of sandbox users. [default: sandbox.DOMAIN]")
    ] = None,
    max_sessions: MaxSessions = None,
    registration: Registration = None,
    contacts: Contacts = None,
    verification: Checks = None,
    proximity: Near = None,
    qr_format: Format = None,
    origin: Origins = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Create an app and print its keys. Secrets are shown this once; a running node knows the app at once."""
    wanted = _wanted(max_sessions, registration, contacts, verification, proximity, qr_format, origin)
    policy = replace(Policy(), **wanted)
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


def _wanted(
    max_sessions: int | None,
    registration: RegistrationPolicy | None,
    contacts: ContactPolicy | None,
    verification: Verification | None,
    proximity: Proximity | None,
    qr_format: QrFormat | None,
    origins: list[str] | None,
) -> dict[str, Any]:
    """Those fields of a policy for which an option was given."""
    given = {
        "max_sessions": max_sessions,
        "registration": registration,
        "contacts_live": contacts,
        "verification": verification,
        "proximity": proximity,
        "qr_format": qr_format,
        "origins": tuple(origin for origin in origins if origin != "any") if origins else None,
    }
    return {name: value for name, value in given.items() if value is not None}


@app_commands.command("policy")
def set_policy(
    app_id: str,
    *,
    max_sessions: MaxSessions = None,
    registration: Registration = None,
    contacts: Contacts = None,
    verification: Checks = None,
    proximity: Near = None,
    qr_format: Format = None,
    origin: Origins = None,
    config: ConfigFile = None,
) -> None:
    """Change an app's policy; options that are not given stay as they are. Without any, the policy is printed."""
    wanted = _wanted(max_sessions, registration, contacts, verification, proximity, qr_format, origin)
    _run(_set_policy(_settings(config), app_id, wanted))


async def _set_policy(settings: Settings, app_id: str, wanted: dict[str, Any]) -> None:
    async with open_ports(settings) as ports:
        app = await ports.apps.lookup(app_id)
        if app is None:
            raise AppInvalid("There is no such app", details={"field": "id"})
        app = await apps.set_policy(ports, app, replace(app.policy, **wanted))
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


@qr_commands.command("login")
def qr_login(url: Url, key: Key, ca_file: CaFile = None, as_json: AsJson = False) -> None:
    """Show a QR code here, and sign this terminal in once a phone has approved it.

    With --json the new session's credentials are printed, its password among them.
    """
    _run(_qr_login(url, key, ca_file, as_json=as_json))


async def _qr_login(url: str, key: str, ca_file: Path | None, *, as_json: bool) -> None:
    def draw(code: QrCode) -> None:
        print(f"{code.terminal()}Scan it, or type the letters, on a device that is signed in.", file=sys.stderr)

    async def ask_code(request: Verify) -> str:
        name = request.user.nick_name or request.user.user_id
        print(f"You are about to be signed in as {name} ({request.user.user_id}).", file=sys.stderr)
        return await _ask(f"The code on the phone ({request.tries_left} tries left): ")

    async with SDK() as sdk:
        await sdk.initialize(url, key, ca_file=ca_file)
        signed_in = await sdk.generate_qr_code(draw, ask_code=ask_code)
    if as_json:
        print(json.dumps(signed_in.to_dict()["data"], indent=2))
    else:
        print(f"Signed in as {signed_in.data.user_jid}, session {signed_in.data.session_id}")


@qr_commands.command("approve")
def qr_approve(
    code: Annotated[str, typer.Argument(help="The text of the QR code, or the 8 letters below it.")],
    url: Url,
    key: Key,
    username: Annotated[str, typer.Option(help="Who approves.", envvar="HELIOGRAPH_USERNAME")],
    password: Annotated[
        str, typer.Option(help="The password of one of the user's sessions.", envvar="HELIOGRAPH_PASSWORD", prompt=True)
    ],
    ca_file: CaFile = None,
) -> None:
    """Look at what a code asks for, and approve or deny it."""
    _run(_qr_approve(code, url, key, username, password, ca_file))


async def _qr_approve(code: str, url: str, key: str, username: str, password: str, ca_file: Path | None) -> None:
    async with SDK() as sdk:
        await sdk.initialize(url, key, ca_file=ca_file)
        await sdk.set_user_token((await sdk.get_user_token(username, password)).data.token)
        approved = await sdk.approve_qr_code(code, _consents)
    if approved.data.check_code is None:
        print("Approved.")
    else:
        print(f"Approved. Type this code on the other device: {approved.data.check_code}")


async def _consents(asking: QrConsent) -> bool:
    """Show who asks, and let a person decide."""
    device = asking.device
    named = ", ".join(filter(None, (device.device, device.browser, device.os))) or "an unnamed device"
    near = {True: "the same network as this device", False: "ANOTHER network", None: "a network that is not compared"}
    print(f"Another device asks to be signed in as you: {named}")
    print(f"  from {asking.ip or 'an unknown address'}, {near[asking.same_network]}")
    print(f"  {asking.requested_ago} seconds ago{', and you have no such device yet' if asking.new_device else ''}")
    print("Go on only if you started this yourself, on a screen before you.")
    return (await _ask("Sign it in? Type yes or no: ")).lower() == "yes"


async def _ask(question: str) -> str:
    """Ask a person; unlike `input`, this can be cancelled."""
    print(question, end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    loop.add_reader(sys.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip()


def _settings(config: Path | None) -> Settings:
    try:
        return Settings.load(config)
    except HeliographError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
