"""The files in `deploy` are whole, name settings that exist, and fit together, as far as can be checked here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

import needs
from heliograph.settings import ENV_PREFIX, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "systemd" / "heliograph.service"
FILES = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file() and path.name != "README.md"]
EXPOSURE_MAX = 2.5
"""What `systemd-analyze security` may make of the unit; an unconfined one has 9.6."""


def environment(settings: dict[str, str]) -> dict[str, Any]:
    """The settings among the variables of a container, by their names."""
    return {
        name.removeprefix(ENV_PREFIX).lower(): value for name, value in settings.items() if name.startswith(ENV_PREFIX)
    }


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture
def manifests() -> dict[tuple[str, str], Any]:
    """What is deployed to Kubernetes, by kind and name."""
    documents = [
        document
        for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
    ]
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    named = set(re.findall(rf"\b{ENV_PREFIX}([A-Z0-9_]+)", file.read_text()))
    assert {name.lower() for name in named} <= set(Settings.model_fields)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_file_is_explained(file: Path) -> None:
    told = (DEPLOY / "README.md").read_text()
    assert file.name in told or f"{file.parent.name}/" in told


def test_the_node_of_the_compose_file_starts_with_its_settings(compose: Any) -> None:
    values = {"DOMAIN": "chat.example", "POSTGRES_PASSWORD": "secret"}
    given = {
        name: re.sub(r"\$\{(\w+)[^}]*\}", lambda match: values[match[1]], value)
        for name, value in compose["services"]["heliograph"]["environment"].items()
    }
    settings = Settings(**environment(given))
    assert settings.public_url == "https://chat.example"
    grace_s = int(compose["services"]["heliograph"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > settings.shutdown_delay_s + settings.drain_timeout_s


def test_the_compose_file_names_no_service_or_volume_that_is_not_there(compose: Any) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", ())) <= set(compose["services"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith(("${", "./")) or source in compose["volumes"]
    assert set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text())) == set(
        re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text(), re.MULTILINE)
    )


def test_the_nodes_in_kubernetes_start_with_their_settings(manifests: dict[tuple[str, str], Any]) -> None:
    given = manifests["ConfigMap", "heliograph"]["data"] | manifests["Secret", "heliograph"]["stringData"]
    settings = Settings(**environment(given))
    pod = manifests["StatefulSet", "heliograph"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > settings.shutdown_delay_s + settings.drain_timeout_s
    probe = pod["containers"][0]["readinessProbe"]
    assert settings.shutdown_delay_s > probe["periodSeconds"] * probe["failureThreshold"]
    assert str(settings.secret_file).startswith(pod["containers"][0]["volumeMounts"][2]["mountPath"])


def test_what_kubernetes_selects_is_there(manifests: dict[tuple[str, str], Any]) -> None:
    nodes = manifests["StatefulSet", "heliograph"]["spec"]
    labels = nodes["template"]["metadata"]["labels"]
    assert nodes["selector"]["matchLabels"] == labels
    assert manifests["PodDisruptionBudget", "heliograph"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["NetworkPolicy", "heliograph"]["spec"]["podSelector"]["matchLabels"] == labels
    assert ("Service", nodes["serviceName"]) in manifests
    pod = nodes["template"]["spec"]
    ports = {port["name"] for container in pod["containers"] for port in container["ports"]}
    for (kind, _), each in manifests.items():
        if kind == "Service":
            assert each["spec"]["selector"] == labels
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= ports
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        for source in container["envFrom"]:
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            assert (kind, next(iter(source.values()))["name"]) in manifests
        assert {mount["name"] for mount in container["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}


def test_haproxy_takes_its_file(tmp_path: Path) -> None:
    haproxy = needs.haproxy()
    issued = trustme.CA().issue_cert("chat.example")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "heliograph.pem"))
    text = (DEPLOY / "haproxy.cfg").read_text().replace("/etc/haproxy/heliograph.pem", f"{tmp_path}/heliograph.pem")
    (tmp_path / "haproxy.cfg").write_text(text)
    checked = subprocess.run(
        (haproxy, "-c", "-f", str(tmp_path / "haproxy.cfg")), check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert "[ALERT]" not in checked.stderr


def test_systemd_takes_its_unit_and_finds_it_confined(tmp_path: Path) -> None:
    analyze = needs.program("systemd-analyze")
    unit = tmp_path / "heliograph.service"
    unit.write_text(UNIT.read_text().replace("/opt/heliograph/bin/heliograph", "/bin/true"))
    verified = subprocess.run((analyze, "verify", str(unit)), check=False, capture_output=True, text=True)
    assert "heliograph.service" not in verified.stderr, verified.stderr
    judged = subprocess.run(
        (analyze, "security", "--offline=true", "--no-pager", str(unit)), check=False, capture_output=True, text=True
    )
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", judged.stdout)
    assert exposure is not None, judged.stderr
    assert float(exposure[1]) <= EXPOSURE_MAX


def test_the_image_is_made_of_files_that_are_there() -> None:
    root = DEPLOY.parent
    for line in (DEPLOY / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _target = line.removeprefix("COPY ").split()
            assert [source for source in sources if not (root / source).exists()] == []
