"""The files in `deploy` against the schemas that are published for their kinds: Compose Specification, Kubernetes."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE_SCHEMA = json.loads((Path(__file__).parent / "schemas" / "compose-spec.json").read_text())
KUBERNETES = ("1.29", "1.33", kubernetes_validate.latest_version())
"""Its versions: old ones that are still run, and the newest that is known."""
MANIFESTS = [
    document
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text())
]


def test_the_compose_file_is_one_of_the_specification() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    judge = jsonschema.Draft7Validator(COMPOSE_SCHEMA)
    assert [f"{error.json_path}: {error.message}" for error in judge.iter_errors(compose)] == []
    compose["services"]["heliograph"]["stop_grace"] = "45s"
    assert not judge.is_valid(compose)  # a name that the specification does not know is found


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_each_manifest_is_one_of_kubernetes(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    (manifest,) = [deepcopy(each) for each in MANIFESTS if each["kind"] == "StatefulSet"]
    manifest["spec"]["template"]["spec"]["terminationGraceSeconds"] = 45
    with pytest.raises(kubernetes_validate.ValidationError, match="terminationGraceSeconds"):
        kubernetes_validate.validate(manifest, KUBERNETES[-1], strict=True)
