"""Every endpoint, also one that is added later, asks for what its kind has to show."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.server.endpoints import Endpoint, Shown
from heliograph.server.http import ENDPOINTS


def of(shown: Shown) -> list[Endpoint]:
    return [endpoint for endpoint in ENDPOINTS if endpoint.shown is shown]


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name)
@pytest.mark.parametrize("key", [None, "", "hg_pk_trial_", "hg_sk_live_" + "A" * 43])
async def test_without_a_key_of_an_app_nothing_is_answered(api: Any, endpoint: Endpoint, key: str | None) -> None:
    assert (await api.error(endpoint.method, endpoint.path, key=key))["code"] == "license_invalid"


@pytest.mark.parametrize("endpoint", of(Shown.SECRET_KEY), ids=name)
async def test_what_is_for_the_backend_is_not_for_clients(api: Any, ada: Any, endpoint: Endpoint) -> None:
    refused = await api.error(endpoint.method, endpoint.path, key="trial", token=ada["token"])
    assert refused["code"] == "secret_key_required"


@pytest.mark.parametrize("endpoint", of(Shown.TOKEN), ids=name)
async def test_what_is_for_users_takes_a_token_of_this_app_and_environment(
    api: Any, ada: Any, endpoint: Endpoint, clock: Any
) -> None:
    for token, code in (
        (None, "token_missing"),
        ("hgt_short", "token_malformed"),
        (ada["refreshToken"], "token_malformed"),
        ("hgt_" + "A" * 43, "token_revoked"),
    ):
        assert (await api.error(endpoint.method, endpoint.path, token=token))["code"] == code
    assert (await api.error(endpoint.method, endpoint.path, key="live", token=ada["token"]))["code"] == "token_revoked"
    clock.turn(3601)
    assert (await api.error(endpoint.method, endpoint.path, token=ada["token"]))["code"] == "token_expired"
