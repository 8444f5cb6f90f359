"""The configuration that `heliograph ejabberd configure` writes."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.core import apps
from heliograph.doctor import ejabberd
from heliograph.doctor.findings import Severity
from heliograph.engines.ejabberd.configuration import lacking
from heliograph.node import open_ports
from heliograph.settings import Settings


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """That of an installation with one app."""
    asyncio.run(_with_an_app(tmp_path / "data"))
    return tmp_path / "data"


async def _with_an_app(data_dir: Path) -> None:
    async with open_ports(Settings(data_dir=data_dir)) as ports:
        await apps.create(ports, "Chat", "chat.test")


def configure(data_dir: Path, *options: str) -> str:
    environment = {**os.environ, "HELIOGRAPH_DATA_DIR": str(data_dir), "HELIOGRAPH_EJABBERD_COMPONENT_SECRET": "Secret"}
    command = [sys.executable, "-m", "heliograph.cli", "ejabberd", "configure", *options]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def test_it_names_the_domains_of_all_apps_and_the_program_that_checks_passwords(data_dir: Path) -> None:
    text = configure(data_dir)
    assert '- "chat.test"' in text
    assert '- "sandbox.chat.test"' in text
    assert "heliograph.cli ejabberd-auth" in text
    assert '"heliograph.localhost": {password: "Secret"}' in text


def test_each_node_has_a_component(data_dir: Path) -> None:
    text = configure(data_dir, "--component", "one.test", "--component", "two.test")
    assert text.count('"one.test"') == text.count('"two.test"') == 2
    assert "global_routes: false" in text  # or each would get what is for the others


def test_a_fragment_leaves_the_listeners_for_clients_and_the_other_hosts_alone(data_dir: Path) -> None:
    text = configure(data_dir, "--fragment")
    assert "ejabberd_c2s" not in text
    assert "host_config:" in text
    assert text.count("auth_method: external") == 2


def test_a_file_with_the_secret_is_for_its_owner_alone(data_dir: Path, tmp_path: Path) -> None:
    written = tmp_path / "ejabberd.yml"
    told = configure(data_dir, "--output", str(written))
    assert "Secret" not in told
    assert "Secret" in written.read_text()
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


@pytest.mark.parametrize("options", [(), ("--fragment",)], ids=["whole", "fragment"])
def test_what_is_written_lacks_nothing(data_dir: Path, options: tuple[str, ...]) -> None:
    assert lacking(configure(data_dir, *options)) == []


def test_a_file_of_an_earlier_version_is_told_what_it_lacks(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "ejabberd.yml"
    text = configure(data_dir).replace("reload_config, ", "")
    file.write_text("".join(f"{line}\n" for line in text.splitlines() if "global_routes" not in line))
    settings = Settings(data_dir=data_dir, engine="ejabberd")
    (found, *_) = ejabberd.look(settings, [], file)
    assert found.severity is Severity.WARNING
    assert "global_routes: false; reload_config" in found.text
    file.write_text(configure(data_dir))
    (found, *_) = ejabberd.look(settings, [], file)
    assert found.severity is Severity.OK
