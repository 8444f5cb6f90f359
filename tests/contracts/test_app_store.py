"""What every `AppStore` does."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core.apps import App, AppKey, ContactPolicy, Environment, KeyKind, Policy, RegistrationPolicy
from heliograph.errors import AppInvalid

NOW = 1_800_000_000.0

POLICY = Policy(
    max_sessions=2,
    registration=RegistrationPolicy.OPEN,
    contacts_live=ContactPolicy.OPEN,
    contacts_sandbox=ContactPolicy.REQUEST,
    sandbox_max_users=7,
    sandbox_user_days=3,
)
CHAT = App("app_chat", "Chat é", "chat.example", "sandbox.chat.example", '{"kty":"EC"}', 1_800_000_000.5, POLICY)
OTHER = App("app_other", "Other", "other.example", "sandbox.other.example", "{}", 1_700_000_000.0)


def keys(app: App) -> list[AppKey]:
    return [
        AppKey(
            hashlib.sha256(f"{app.id}{kind}{environment}".encode()).digest(),
            app.id,
            kind,
            environment,
            f"hg_{app.id}" if kind is KeyKind.PUBLISHABLE else None,
            app.created_at,
        )
        for kind in KeyKind
        for environment in Environment
    ]


async def test_an_app_is_found_by_its_id_with_all_that_was_stored(stores: Any) -> None:
    await stores.apps.add(CHAT, keys(CHAT))
    assert await stores.apps.lookup("app_chat") == CHAT
    assert await stores.apps.lookup("app_other") is None


async def test_a_key_leads_to_itself_and_its_app(stores: Any) -> None:
    await stores.apps.add(CHAT, keys(CHAT))
    await stores.apps.add(OTHER, keys(OTHER))
    for app in (CHAT, OTHER):
        for key in keys(app):
            assert await stores.apps.lookup_key(key.hash) == (app, key)
    assert await stores.apps.lookup_key(bytes(32)) is None


async def test_a_domain_leads_to_its_app_and_environment(stores: Any) -> None:
    await stores.apps.add(CHAT, [])
    assert await stores.apps.lookup_domain("chat.example") == (CHAT, Environment.LIVE)
    assert await stores.apps.lookup_domain("sandbox.chat.example") == (CHAT, Environment.SANDBOX)
    assert await stores.apps.lookup_domain("example") is None


async def test_all_apps_are_listed_oldest_first_with_their_keys(stores: Any) -> None:
    await stores.apps.add(CHAT, keys(CHAT))
    await stores.apps.add(OTHER, [])
    listed = await stores.apps.list()
    assert [app for app, _ in listed] == [OTHER, CHAT]
    assert {key.hash for key in listed[1][1]} == {key.hash for key in keys(CHAT)}
    assert listed[0][1] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"domain": "a.example", "sandbox_domain": "b.example"}, "id"),
        ({"id": "app_2", "sandbox_domain": "b.example"}, "domain"),
        ({"id": "app_2", "domain": "a.example"}, "sandbox_domain"),
        ({"id": "app_2", "domain": "sandbox.chat.example", "sandbox_domain": "b.example"}, "domain"),
        ({"id": "app_2", "domain": "a.example", "sandbox_domain": "chat.example"}, "sandbox_domain"),
    ],
)
async def test_a_taken_id_or_domain_is_refused_and_nothing_is_stored(stores: Any, changes: Any, field: str) -> None:
    await stores.apps.add(CHAT, keys(CHAT))
    with pytest.raises(AppInvalid) as caught:
        await stores.apps.add(replace(CHAT, **changes), [])
    assert caught.value.details == {"field": field}
    assert [app for app, _ in await stores.apps.list()] == [CHAT]
    assert await stores.apps.lookup_domain("a.example") is None
    assert await stores.apps.lookup_domain("b.example") is None


async def test_a_policy_is_changed_alone(stores: Any) -> None:
    await stores.apps.add(OTHER, keys(OTHER))
    await stores.apps.set_policy(replace(OTHER, name="renamed", policy=POLICY), NOW)
    assert await stores.apps.lookup("app_other") == replace(OTHER, policy=POLICY)


async def test_a_replaced_key_ends_in_time_and_the_others_stay(stores: Any) -> None:
    await stores.apps.add(CHAT, keys(CHAT))
    await stores.apps.add(OTHER, keys(OTHER))
    new = AppKey(bytes(range(32)), CHAT.id, KeyKind.SECRET, Environment.LIVE, None, NOW + 1)
    await stores.apps.replace_key(CHAT, new, NOW + 60)
    for key in keys(CHAT):
        is_replaced = (key.kind, key.environment) == (KeyKind.SECRET, Environment.LIVE)
        expected = replace(key, expires_at=NOW + 60) if is_replaced else key
        assert await stores.apps.lookup_key(key.hash) == (CHAT, expected)
    assert await stores.apps.lookup_key(new.hash) == (CHAT, new)
    assert {key.expires_at for app, found in await stores.apps.list() if app == OTHER for key in found} == {None}


async def test_a_key_gets_no_more_time_by_a_later_replacement_and_is_forgotten_when_it_is_over(stores: Any) -> None:
    await stores.apps.add(CHAT, [])
    made = [AppKey(bytes([n]) * 32, CHAT.id, KeyKind.SECRET, Environment.LIVE, None, NOW + 50 * n) for n in range(3)]
    await stores.apps.replace_key(CHAT, made[0], NOW)
    await stores.apps.replace_key(CHAT, made[1], NOW + 60)
    await stores.apps.replace_key(CHAT, made[2], NOW + 200)
    assert await stores.apps.lookup_key(made[0].hash) is None, "it ended at 60, which 100 is past"
    assert await stores.apps.lookup_key(made[1].hash) == (CHAT, replace(made[1], expires_at=NOW + 200))
    assert await stores.apps.lookup_key(made[2].hash) == (CHAT, made[2])


async def test_an_assertion_key_is_changed_alone(stores: Any) -> None:
    await stores.apps.add(OTHER, keys(OTHER))
    await stores.apps.set_assertion_key(replace(OTHER, name="renamed", assertion_key='{"kty":"OKP"}'), NOW)
    assert await stores.apps.lookup("app_other") == replace(OTHER, assertion_key='{"kty":"OKP"}')
