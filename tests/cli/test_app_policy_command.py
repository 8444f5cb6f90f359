"""The command that changes an app's policy."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
async def app_id(cli: Any) -> str:
    made = await cli.try_("app", "create", "Chat", "--disable", "last_seen", "--json")
    return str(json.loads(made.out)["id"])


def shown(text: str) -> dict[str, str]:
    """Each field of a policy with its value."""
    return {name: value.strip() for name, _, value in (line.partition(" ") for line in text.splitlines())}


async def test_features_and_the_grace_period_are_set_and_shown(cli: Any, app_id: str) -> None:
    before = shown((await cli.try_("app", "policy", app_id)).out)
    assert (before["disabled_features"], before["deletion_grace_live_days"]) == ("last_seen", "30")
    options = ("--disable", "none", "--deletion-grace-days", "7")
    after = shown((await cli.try_("app", "policy", app_id, *options)).out)
    assert (after["disabled_features"], after["deletion_grace_live_days"]) == ("", "7")


async def test_a_feature_that_there_is_not_is_refused_with_those_that_there_are(cli: Any) -> None:
    refused = await cli.try_("app", "policy", "app_1", "--disable", "nonsense")
    assert refused.status == 2
    assert "user_search" in refused.err
