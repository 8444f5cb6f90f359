"""Apps, their keys and policies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from heliograph.cli.options import AppId, AsJson, ConfigFile, InSandbox
from heliograph.cli.running import app_of, environment_of, run, settings_of
from heliograph.core import apps
from heliograph.core.apps import (
    App,
    AppKey,
    ContactPolicy,
    Environment,
    Feature,
    KeyKind,
    NewApp,
    Policy,
    ProfileField,
    Proximity,
    QrFormat,
    RegistrationPolicy,
    Verification,
)
from heliograph.node import open_ports
from heliograph.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="Apps, their keys and policies.")

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

Grace = Annotated[
    int | None,
    typer.Option(
        "--deletion-grace-days", help="How long a deleted live user can be restored, 0 to 365.", min=0, max=365
    ),
]
Disabled = Annotated[
    list[str] | None,
    typer.Option(
        "--disable",
        help=f"A feature that the app does not offer: {', '.join(Feature)}; may be given again. `none` offers all.",
    ),
]


@commands.command("create")
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
    deletion_grace_days: Grace = None,
    disable: Disabled = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Create an app and print its keys. Secrets are shown this once; a running node knows the app at once."""
    wanted = _given(
        max_sessions=max_sessions,
        registration=registration,
        contacts_live=contacts,
        verification=verification,
        proximity=proximity,
        qr_format=qr_format,
        origins=_origins(origin),
        deletion_grace_live_days=deletion_grace_days,
        disabled_features=_features(disable),
    )
    policy = replace(Policy(), **wanted)
    run(_create_app(settings_of(config), name, domain, sandbox_domain, policy, as_json=as_json))


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


def _given(**fields: object) -> dict[str, Any]:
    """Those fields of a policy for which an option was given."""
    return {name: value for name, value in fields.items() if value is not None}


def _origins(texts: list[str] | None) -> tuple[str, ...] | None:
    return tuple(text for text in texts if text != "any") if texts else None


def _features(names: list[str] | None) -> tuple[Feature, ...] | None:
    try:
        return tuple(Feature(name) for name in names if name != "none") if names else None
    except ValueError:
        raise typer.BadParameter(f"A feature is one of {', '.join(Feature)}", param_hint="--disable") from None


@commands.command("policy")
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
    deletion_grace_days: Grace = None,
    disable: Disabled = None,
    config: ConfigFile = None,
) -> None:
    """Change an app's policy; options that are not given stay as they are. Without any, the policy is printed."""
    wanted = _given(
        max_sessions=max_sessions,
        registration=registration,
        contacts_live=contacts,
        verification=verification,
        proximity=proximity,
        qr_format=qr_format,
        origins=_origins(origin),
        deletion_grace_live_days=deletion_grace_days,
        disabled_features=_features(disable),
    )
    run(_set_policy(settings_of(config), app_id, wanted))


async def _set_policy(settings: Settings, app_id: str, wanted: dict[str, Any]) -> None:
    async with open_ports(settings) as ports:
        app = await app_of(ports, app_id)
        app = await apps.set_policy(ports, app, replace(app.policy, **wanted))
    for name, value in asdict(app.policy).items():
        print(f"{name:<27} {', '.join(value) if isinstance(value, tuple) else value}")


@commands.command("profiles")
def set_profile_policy(
    app_id: str,
    *,
    name_max: Annotated[int | None, typer.Option(help="Characters of a name, 1 to 64.", min=1, max=64)] = None,
    status_max: Annotated[int | None, typer.Option(help="Characters of a status, 1 to 139.", min=1, max=139)] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            help="A field to fill in: name, image, status, mobile, email. May be given again. `none`: no field."
        ),
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option(help="A status to offer; may be given again. `none` offers none.")
    ] = None,
    invite_url: Annotated[
        str | None, typer.Option(help="What the address of an invitation begins with; `default` is the node's page.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Change what an app asks of profiles, and what it offers; options that are not given stay as they are."""
    wanted = _given(
        name_max_graphemes=name_max,
        status_max_graphemes=status_max,
        required_profile_fields=_fields(require),
        statuses=None if status is None else tuple(text for text in status if text != "none"),
        invite_url="" if invite_url == "default" else invite_url,
    )
    run(_set_policy(settings_of(config), app_id, wanted))


def _fields(names: list[str] | None) -> tuple[ProfileField, ...] | None:
    try:
        return None if names is None else tuple(ProfileField(name) for name in dict.fromkeys(names) if name != "none")
    except ValueError:
        raise typer.BadParameter("The fields are name, image, status, mobile and email") from None


@commands.command("replace-key")
def replace_key(
    app_id: AppId,
    kind: Annotated[KeyKind, typer.Argument(help="Which key: the one for clients, or the one of the backend.")],
    *,
    keep_days: Annotated[
        float, typer.Option(help="How long the key before stays in force beside it, 0 to 365.", min=0, max=365)
    ] = 0,
    in_sandbox: InSandbox = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a new key in the place of one, and print it; a secret one is shown this once. Running nodes know it at once.

    Without --keep-days the key before is refused from now on.
    """
    environment, keep_s = environment_of(in_sandbox), keep_days * 86400
    run(_replace_key(settings_of(config), app_id, kind, environment, keep_s, as_json=as_json))


async def _replace_key(
    settings: Settings, app_id: str, kind: KeyKind, environment: Environment, keep_s: float, *, as_json: bool
) -> None:
    async with open_ports(settings) as ports:
        key = await apps.replace_key(ports, await app_of(ports, app_id), kind, environment, keep_s)
    print(json.dumps({"key": key}) if as_json else key)


@commands.command("replace-assertion-key")
def replace_assertion_key(app_id: AppId, config: ConfigFile = None) -> None:
    """Make a new key pair for identity assertions, and print the private JWK; it is shown this once.

    Assertions that are signed with the one before are refused from now on.
    """
    run(_replace_assertion_key(settings_of(config), app_id))


async def _replace_assertion_key(settings: Settings, app_id: str) -> None:
    async with open_ports(settings) as ports:
        print(await apps.replace_assertion_key(ports, await app_of(ports, app_id)))


@commands.command("list")
def list_apps(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List apps with their publishable keys; those that were replaced are not shown."""
    run(_list_apps(settings_of(config), as_json=as_json))


async def _list_apps(settings: Settings, *, as_json: bool) -> None:
    async with open_ports(settings) as ports:
        found = [(app, _publishable(keys)) for app, keys in await ports.apps.list()]
    if as_json:
        print(json.dumps([{**_app(app), "publishableKeys": keys} for app, keys in found], indent=2))
        return
    for app, keys in found:
        print(f"{app.id}  {app.name}  {app.domain}  {app.sandbox_domain}")
        for key in keys:
            print(f"  {key}")


def _publishable(keys: Sequence[AppKey]) -> list[str]:
    """The publishable keys that were not replaced."""
    return [key.publishable for key in keys if key.publishable and key.expires_at is None]


def _app(app: App) -> dict[str, Any]:
    return {"id": app.id, "name": app.name, "domain": app.domain, "sandboxDomain": app.sandbox_domain}
