"""Nothing that lets anyone in is ever written to a log."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

SECRET_FIELDS = ("password", "token", "refreshToken")


async def story(api: Any) -> set[str]:
    """A user's life with its failures; gives every secret that was shown or sent."""
    secrets = {api.key(name) for name in ("live", "live secret", "trial", "trial secret")}
    ada = await api.register("ada")
    secrets |= {ada[name] for name in SECRET_FIELDS}
    assertion = api.assertion("ada")
    live = await api.register("ada", key="live", token=assertion)
    secrets |= {live[name] for name in SECRET_FIELDS} | {assertion}
    await api.error("POST", "/register", key="live", token=assertion, json={"userIdentifier": "ada"})
    tokens = await api.data("POST", "/tokens", json={"username": "ada", "password": ada["password"]})
    refreshed = await api.data("POST", "/tokens/refresh", json={"refreshToken": tokens["refreshToken"]})
    secrets |= {found[name] for found in (tokens, refreshed) for name in ("token", "refreshToken")}
    await api.error("POST", "/tokens", json={"username": "ada", "password": "wrong-password"})
    await api.error("POST", "/tokens", json={"username": "ada", "wrongField": "wrong-password"})
    await api.error("POST", f"/{ada['token']}", token=ada["token"])
    await api.error("DELETE", f"/sessions/{ada['password']}", token=ada["token"])
    await api.error("GET", "/config", params={"isTrial": ada["password"]})
    again = await api.data("POST", "/tokens/refresh", json={"refreshToken": tokens["refreshToken"]})
    secrets |= {again["token"], again["refreshToken"]}
    await api.error("POST", "/tokens/refresh", json={"refreshToken": tokens["refreshToken"]})
    return secrets | {"wrong-password"}


class Broken:
    """A token store with a bug."""

    async def lookup(self, _digest: bytes) -> None:
        raise RuntimeError("the disk is gone")


async def test_no_secret_is_logged_in_success_failure_or_bug(
    api: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "httpx")  # the caller, which logs the addresses that it was told to call
    with capture_logs() as lines:
        secrets = await story(api)
        broken = api.with_services(ports=replace(api.services.ports, tokens=Broken()))
        token = (await api.register("bob"))["token"]
        assert (await broken.error("GET", "/profile", token=token))["statusCode"] == 500
    captured = capsys.readouterr()
    written = repr(lines) + caplog.text + captured.out + captured.err
    assert len(lines) > 10
    assert [secret for secret in secrets | {token} if secret in written] == []
