"""Configuration, probes, discovery."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest


@pytest.mark.parametrize(
    ("key", "domain", "is_sandbox"),
    [
        ("live", "chat.example", False),
        ("live secret", "chat.example", False),
        ("trial", "sandbox.chat.example", True),
        ("trial secret", "sandbox.chat.example", True),
    ],
)
async def test_a_key_gets_the_configuration_of_its_environment(
    api: Any, key: str, domain: str, is_sandbox: bool
) -> None:
    config = await api.data("GET", "/config", key=key)
    limits = config.pop("limits")
    assert config == {
        "xmppHost": "chat.example",
        "xmppPort": 5222,
        "xmppTlsPort": 5223,
        "websocketUrl": "wss://chat.test/xmpp",
        "signalServerUrl": None,
        "domain": domain,
        "isSandbox": is_sandbox,
        "features": {"qrSignIn": True, "userSearch": True, "accountDeletion": True, "lastSeen": True},
        "requiredProfileFields": [],
    }
    assert (limits["maxSessions"], limits["imageMaxBytes"]) == (5, 10 * 1024 * 1024)
    assert all(isinstance(value, int) for value in limits.values())


@pytest.mark.parametrize("key", [None, "", "nonsense", "hg_pk_trial_" + "A" * 43, "hg_pk_live_é"])
async def test_a_bad_key_fails_at_once(api: Any, key: str | None) -> None:
    headers = {} if key is None else {"Heliograph-Key": key.encode()}
    response = await api.call("GET", "/config", key=None, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "license_invalid")


@pytest.mark.parametrize(("key", "is_trial"), [("live", "true"), ("trial", "false")])
async def test_a_key_of_the_other_kind_than_believed_is_an_error(api: Any, key: str, is_trial: str) -> None:
    error = await api.error("GET", "/config", key=key, params={"isTrial": is_trial})
    assert (error["statusCode"], error["code"]) == (400, "license_mode_mismatch")


async def test_a_right_belief_passes_and_nonsense_is_named(api: Any) -> None:
    await api.data("GET", "/config", key="trial", params={"isTrial": "true"})
    await api.data("GET", "/config", key="live", params={"isTrial": "false"})
    error = await api.error("GET", "/config", params={"isTrial": "maybe"})
    assert (error["code"], error["details"]) == ("request_invalid", {"field": "isTrial"})


async def test_a_node_is_alive_while_it_is_not_ready(api: Any) -> None:
    starting = api.with_services(is_ready=lambda: False)
    assert (await starting.http.get("/livez")).status_code == 200
    answer = await starting.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unreachable")
    assert (await api.http.get("/readyz")).json() == {"statusCode": 200, "message": "Ready"}


async def test_host_meta_points_at_the_websocket_in_both_forms(api: Any) -> None:
    answer = await api.http.get("/.well-known/host-meta")
    assert answer.headers["content-type"].startswith("application/xrd+xml")
    assert answer.headers["access-control-allow-origin"] == "*"
    root = ET.fromstring(answer.content)
    assert root.tag == "{http://docs.oasis-open.org/ns/xri/xrd-1.0}XRD"
    assert [link.attrib for link in root] == [
        {"rel": "urn:xmpp:alt-connections:websocket", "href": "wss://chat.test/xmpp"}
    ]
    answer = await api.http.get("/.well-known/host-meta.json")
    assert json.loads(answer.content) == {
        "links": [{"rel": "urn:xmpp:alt-connections:websocket", "href": "wss://chat.test/xmpp"}]
    }
