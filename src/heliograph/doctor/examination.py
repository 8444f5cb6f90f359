"""The whole examination of a node."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from heliograph.doctor import certificate, database, ejabberd, machine, pictures
from heliograph.doctor.findings import Finding, ok, problem, warning
from heliograph.settings import ENV_PREFIX, Settings
from heliograph.system.certificate import CERTIFICATE_NAME, KEY_NAME

NOT_SETTINGS = frozenset(("CONFIG", "URL", "KEY", "USERNAME", "PASSWORD", "SCREENS"))
"""What else may stand in the environment under our prefix: options of the command line."""


def examine(
    settings: Settings,
    environment: Mapping[str, str],
    now: dt.datetime,
    ask: str | None = None,
    ejabberd_file: Path | None = None,
) -> list[Finding]:
    """Look at everything, in the order in which one would mend it.

    Args:
        settings: the node's settings.
        environment: the variables of the process.
        now: what the clock shows, with its time zone.
        ask: a server to compare the clock with; `None` asks nobody.
        ejabberd_file: see `ejabberd.look`.
    """
    chain, key = _certificate_files(settings)
    return [
        *configuration(settings, environment),
        *_certificate(settings, chain, key, now),
        machine.port("HTTP", settings.http_host, settings.http_port),
        *_xmpp_ports(settings),
        *_database(settings),
        *ejabberd.look(settings, _domains(settings), ejabberd_file),
        *pictures.look(settings),
        *machine.clock(now, database.newest_entry(settings.sqlite_file), ask),
        machine.disk(settings.data_dir),
        *machine.permissions([settings.data_dir, settings.sqlite_file, key, settings.installation_secret_file]),
        machine.open_files(),
    ]


def configuration(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    """Settings that are allowed, and hardly meant."""
    known = {name.upper() for name in Settings.model_fields} | NOT_SETTINGS
    ours = [name for name in sorted(environment) if name.startswith(ENV_PREFIX)]
    found = [
        warning("configuration", f"{name} is no setting", "Correct its name, or unset it.")
        for name in ours
        if name.removeprefix(ENV_PREFIX) not in known
    ]
    if not settings.xmpp_requires_tls:
        advice = "Set xmpp_requires_tls = true outside of measurements."
        found.append(problem("configuration", "clients may sign in without TLS", advice))
    public = urlsplit(settings.public_url or "")
    if public.scheme == "http" and not _is_loopback(public.hostname or ""):
        advice = "Put a proxy with TLS before the node, and say https:// in public_url."
        found.append(problem("configuration", "public_url is not https: tokens travel in the clear", advice))
    if settings.public_url is None and not _is_loopback(settings.http_host):
        advice = "Set public_url to the address that clients use, such as https://chat.example."
        found.append(warning("configuration", "HTTP is open to others, and public_url is not set", advice))
    return found or [ok("configuration", "settings are in order")]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _xmpp_ports(settings: Settings) -> list[Finding]:
    """Those of the embedded engine; another engine's are not the node's own."""
    if settings.engine != "embedded":
        return []
    return [
        machine.port("XMPP with STARTTLS", settings.xmpp_host, settings.xmpp_port),
        machine.port("XMPP with TLS", settings.xmpp_host, settings.xmpps_port),
    ]


def _certificate_files(settings: Settings) -> tuple[Path, Path]:
    """The chain and its key."""
    folder = settings.tls_folder
    return settings.tls_certificate_file or folder / CERTIFICATE_NAME, settings.tls_key_file or folder / KEY_NAME


def _certificate(settings: Settings, chain: Path, key: Path, now: dt.datetime) -> list[Finding]:
    if settings.tls_certificate_file is None and not chain.exists():
        return [ok("certificate", "a self-signed one will be made at the first start")]
    return certificate.look(chain, key, [settings.domain, *_domains(settings)], now)


def _database(settings: Settings) -> list[Finding]:
    if settings.database_url is None:
        return database.look(settings.sqlite_file)
    try:
        from heliograph.doctor import postgres  # noqa: PLC0415 - an optional extra
    except ImportError:
        return [problem(database.SUBJECT, "psycopg is not installed", "Install heliograph[postgres].")]
    return postgres.look(settings.database_url.get_secret_value())


def _domains(settings: Settings) -> list[str]:
    if settings.database_url is None:
        return database.domains(settings.sqlite_file)
    try:
        from heliograph.doctor import postgres  # noqa: PLC0415 - an optional extra
    except ImportError:
        return []
    return postgres.domains(settings.database_url.get_secret_value())
