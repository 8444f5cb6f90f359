"""The doctor finds what is wrong with a node, and says what to do."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import sqlite3
import ssl
from pathlib import Path

import pytest
import trustme

from heliograph.core import apps
from heliograph.doctor import certificate, database, examination, machine
from heliograph.doctor.findings import Finding, Severity
from heliograph.node import run_node
from heliograph.settings import Settings
from postgres_server import empty_database

NOW = dt.datetime.now(dt.UTC)


def worst(findings: list[Finding]) -> Severity:
    order = [*Severity]
    return max((finding.severity for finding in findings), key=order.index)


def texts(findings: list[Finding], severity: Severity) -> list[str]:
    chosen = [finding for finding in findings if finding.severity is severity]
    assert all(finding.advice for finding in chosen)
    return [f"{finding.subject}: {finding.text}" for finding in chosen]


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """The data folder of a node that has run, with one app."""
    folder = tmp_path / "data"
    async with run_node(Settings(data_dir=folder, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)) as node:
        await apps.create(node.ports, "Chat", "localhost")
    return folder


def settings(folder: Path, **changes: object) -> Settings:
    return Settings(data_dir=folder, http_port=0, xmpp_port=0, xmpps_port=0, **changes)  # type: ignore[arg-type]


async def test_a_new_node_and_one_that_has_run_have_no_problem(data: Path, tmp_path: Path) -> None:
    assert worst(examination.examine(settings(tmp_path / "none"), {}, dt.datetime.now(dt.UTC))) is Severity.OK
    found = examination.examine(settings(data), {}, dt.datetime.now(dt.UTC))
    assert texts(found, Severity.PROBLEM) == []
    assert "self-signed" in " ".join(texts(found, Severity.WARNING))


@pytest.mark.parametrize(
    ("changes", "environment", "finding"),
    [
        ({}, {"HELIOGRAPH_LOG_LEVLE": "debug"}, "HELIOGRAPH_LOG_LEVLE is no setting"),
        ({"xmpp_requires_tls": False}, {}, "sign in without TLS"),
        ({"public_url": "http://chat.example"}, {}, "public_url is not https"),
        ({"http_host": "0.0.0.0"}, {}, "public_url is not set"),
    ],
)
def test_settings_that_are_hardly_meant(
    tmp_path: Path, changes: dict[str, object], environment: dict[str, str], finding: str
) -> None:
    [found] = examination.configuration(settings(tmp_path, **changes), environment)
    assert finding in found.text
    assert found.severity is not Severity.OK


class Chain:
    """A certificate of an authority, with its key, as files."""

    def __init__(self, folder: Path, *names: str, **options: dt.datetime) -> None:
        issued = trustme.CA().issue_cert(*names, **options)
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        issued.cert_chain_pems[0].write_to_path(self.chain)
        issued.private_key_pem.write_to_path(self.key)


def test_a_good_certificate(tmp_path: Path) -> None:
    made = Chain(tmp_path, "chat.example", "*.chat.example")
    found = certificate.look(made.chain, made.key, ["chat.example", "sandbox.chat.example"], NOW)
    assert worst(found) is Severity.OK


@pytest.mark.parametrize(
    ("days", "names", "finding"),
    [
        (-1, ["chat.example"], "expired on"),
        (3, ["chat.example"], "expires in 2 days"),
        (90, ["chat.example", "a.b.chat.example"], "not made for a.b.chat.example"),
        (90, ["other.example"], "not made for other.example"),
    ],
)
def test_a_certificate_that_is_over_or_made_for_others(
    tmp_path: Path, days: int, names: list[str], finding: str
) -> None:
    made = Chain(tmp_path, "chat.example", "*.chat.example", not_after=NOW + dt.timedelta(days=days))
    found = certificate.look(made.chain, made.key, names, NOW)
    assert finding in " ".join(texts(found, Severity.PROBLEM) + texts(found, Severity.WARNING))


def test_a_key_that_belongs_to_another_certificate_and_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made, other = Chain(tmp_path, "chat.example"), Chain(tmp_path / "other", "chat.example")
    names = ["chat.example"]
    assert "belongs to another" in str(texts(certificate.look(made.chain, other.key, names, NOW), Severity.PROBLEM))
    assert "no private key" in str(texts(certificate.look(made.chain, made.chain, names, NOW), Severity.PROBLEM))
    assert "no certificate" in str(texts(certificate.look(made.key, made.key, names, NOW), Severity.PROBLEM))
    gone = tmp_path / "gone.pem"
    assert "No such file" in str(texts(certificate.look(gone, made.key, names, NOW), Severity.PROBLEM))


def test_a_port_that_somebody_holds_and_one_that_may_not_be_opened() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert machine.port("HTTP", "127.0.0.1", number).severity is Severity.WARNING
    assert machine.port("HTTP", "127.0.0.1", number).severity is Severity.OK
    assert machine.port("HTTP", "192.0.2.1", number).severity is Severity.PROBLEM


async def test_a_database_that_is_damaged_newer_or_held(data: Path) -> None:
    path = data / "heliograph.db"
    assert worst(database.look(path)) is Severity.OK
    assert database.domains(path) == ["localhost", "sandbox.localhost"]
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO schema_versions VALUES (9999)")
    assert "newer Heliograph (schema 9999)" in str(texts(database.look(path), Severity.PROBLEM))
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM schema_versions WHERE version = 9999")
        connection.execute(
            "INSERT INTO sessions SELECT 1, 'a', 77, '', '', '', '', '', 0, 0, '', '', '', '', '', 0, ''"
        )
    assert "1 rows without parent" in str(texts(database.look(path), Severity.PROBLEM))
    path.write_bytes(b"not a database at all, and long enough to be looked at" * 100)
    assert "not a database" in str(texts(database.look(path), Severity.PROBLEM))


async def test_a_server_of_postgresql_is_looked_at_and_its_password_is_not_told(
    postgres_url: str, tmp_path: Path
) -> None:
    from heliograph.doctor import postgres  # noqa: PLC0415 - an optional extra

    async with empty_database(postgres_url) as url:
        assert "fsync" in str(postgres.look(url))  # the tests' server does not wait for the disk
        mine = settings(tmp_path, database_url=url)
        async with run_node(mine) as node:
            await apps.create(node.ports, "Chat", "localhost")
        found = examination.examine(mine, {}, dt.datetime.now(dt.UTC))
        assert texts(found, Severity.PROBLEM) == []
        assert postgres.domains(url) == ["localhost", "sandbox.localhost"]
    gone = postgres.look("postgresql://heliograph:hunter2@127.0.0.1:1/none")
    assert texts(gone, Severity.PROBLEM) == ["database: PostgreSQL: OperationalError"]


def test_a_clock_that_cannot_be_right() -> None:
    assert machine.clock(NOW, 0.0)[0].severity is Severity.OK
    assert machine.clock(NOW, NOW.timestamp() + 3600)[0].severity is Severity.PROBLEM
    assert machine.clock(dt.datetime(2020, 1, 1, tzinfo=dt.UTC), 0.0)[0].severity is Severity.PROBLEM
    assert machine.clock(NOW, 0.0, "http://127.0.0.1:1/")[0].severity is Severity.WARNING


async def test_a_clock_is_compared_with_a_server_if_one_is_asked(tmp_path: Path) -> None:
    async with run_node(settings(tmp_path)) as node:
        asked = f"{node.public_url}/livez"
        [right] = await asyncio.to_thread(machine.clock, dt.datetime.now(dt.UTC), 0.0, asked)
        late = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
        [wrong] = await asyncio.to_thread(machine.clock, late, 0.0, asked)
    assert right.severity is Severity.OK
    assert wrong.text.startswith(("+299 s off", "+300 s off", "+301 s off"))


def test_secrets_that_others_may_read(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.touch(mode=0o600)
    assert worst(machine.permissions([key, tmp_path / "gone"])) is Severity.OK
    key.chmod(0o644)
    [found] = machine.permissions([key])
    assert (found.severity, found.advice) == (Severity.PROBLEM, f"chmod 600 {key}")


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "DISK_PROBLEM_BYTES", 2**80)
    assert machine.disk(tmp_path / "not" / "there").severity is Severity.PROBLEM


def test_what_the_node_serves_is_what_the_doctor_has_looked_at(tmp_path: Path) -> None:
    made = Chain(tmp_path, "chat.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    assert worst(certificate.look(made.chain, made.key, ["chat.example"], NOW)) is Severity.OK
