"""Profiles in the hands of an app's backend, what an app asks of profiles, and statuses to choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, ProfileField


async def set_policy(api: Any, **changes: Any) -> None:
    ports = api.services.ports
    caller = await apps.authenticate_key(ports, api.known.keys[KeyKind.SECRET, Environment.SANDBOX])
    await apps.set_policy(ports, caller.app, replace(caller.app.policy, **changes))


def published(engine: Any) -> list[tuple[str, int]]:
    found = [(told[1].jid.partition("@")[0], told[1].version) for told in engine.told if told[0] == "publish_profile"]
    engine.told.clear()
    return found


# ------------------------------------------------------------------------------------------------------------- backend


async def test_what_a_backend_changes_is_published_like_a_users_own_change(api: Any, ada: Any, engine: Any) -> None:
    published(engine)
    body = {"nickName": "Ada", "visibility": {"email": "nobody"}}
    changed = await api.data("PATCH", "/users/ada/profile", key="trial secret", json=body)
    assert (changed["nickName"], changed["version"], changed["visibility"]["email"]) == ("Ada", 1, "nobody")
    assert published(engine) == [("ada", 1)]
    assert await api.data("GET", "/profile", token=ada["token"]) == changed
    assert await api.data("GET", "/users/ada/profile", key="trial secret") == changed


async def test_many_profiles_are_changed_at_once_and_the_same_again_changes_nothing(
    api: Any, ada: Any, bob: Any, engine: Any
) -> None:
    published(engine)
    items = [
        {"userId": "ada", "nickName": "Ada"},
        {"userId": "nobody", "nickName": "Nobody"},
        {"userId": "bob", "nickName": "Bob", "email": "no address"},
        {"userId": "bob", "nickName": "Bob", "version": 7},
        {"userId": "Not an id", "nickName": "X"},
        {"userId": "bob", "status": "Here"},
    ]
    call = {"key": "trial secret", "json": {"items": items}}
    results = (await api.data("POST", "/profile-updates", **call))["results"]
    assert [(each["userId"], each["result"], each.get("code"), each.get("field")) for each in results] == [
        ("ada", "updated", None, None),
        ("nobody", "failed", "account_not_found", None),
        ("bob", "failed", "profile_invalid", "email"),
        ("bob", "failed", "profile_conflict", None),
        ("Not an id", "failed", "account_not_found", None),
        ("bob", "updated", None, None),
    ]
    assert published(engine) == [("ada", 1), ("bob", 1)]
    again = (await api.data("POST", "/profile-updates", **call))["results"]
    assert [each["result"] for each in again] == ["unchanged", "failed", "failed", "failed", "failed", "unchanged"]
    assert published(engine) == []


async def test_one_call_changes_at_most_a_thousand(api: Any) -> None:
    items = [{"userId": f"user-{number}", "nickName": "N"} for number in range(1001)]
    most = await api.data("POST", "/profile-updates", key="trial secret", json={"items": items[:1000]})
    assert len(most["results"]) == 1000
    error = await api.error("POST", "/profile-updates", key="trial secret", json={"items": items})
    assert error["code"] == "request_invalid"


async def test_only_the_backend_may(api: Any, ada: Any) -> None:
    for method, path, body in (
        ("PATCH", "/users/ada/profile", {"nickName": "Ada"}),
        ("GET", "/users/ada/profile", None),
        ("GET", "/users/ada/profile/history", None),
        ("POST", "/profile-updates", {"items": []}),
        ("PUT", "/app/statuses", {"statuses": []}),
    ):
        error = await api.error(method, path, token=ada["token"], json=body)
        assert error["code"] == "secret_key_required"


async def test_the_history_says_who_changed_what_and_keeps_no_private_value(api: Any, ada: Any) -> None:
    body = {"nickName": "Ada", "mobileNumber": "+4930123456", "email": "ada@mail.test"}
    await api.data("PATCH", "/profile", token=ada["token"], json=body)
    await api.data("PATCH", "/users/ada/profile", key="trial secret", json={"nickName": "Ada Lovelace"})
    changes = (await api.data("GET", "/users/ada/profile/history", key="trial secret"))["changes"]
    assert [(each["version"], each["by"], each["via"], each["sessionId"]) for each in changes] == [
        (2, "backend", "api", ""),
        (1, "user", "api", ada["sessionId"]),
    ]
    assert changes[0]["at"] == "2027-01-15T08:00:00.000Z"
    assert changes[0]["fields"] == [{"field": "nickName", "before": "Ada", "after": "Ada Lovelace"}]
    assert changes[1]["fields"] == [
        {"field": "nickName", "before": "", "after": "Ada"},
        {"field": "mobileNumber"},
        {"field": "email"},
    ]


async def test_the_history_keeps_the_newest_twenty(api: Any, ada: Any) -> None:
    for number in range(25):
        await api.data("PATCH", "/profile", token=ada["token"], json={"nickName": f"Ada {number}"})
    changes = (await api.data("GET", "/users/ada/profile/history", key="trial secret"))["changes"]
    assert [each["version"] for each in changes] == list(range(25, 5, -1))


# -------------------------------------------------------------------------------------------------------------- policy


async def test_an_app_narrows_the_length_of_name_and_status(api: Any, ada: Any) -> None:
    await set_policy(api, name_max_graphemes=3, status_max_graphemes=5)
    limits = (await api.data("GET", "/config"))["limits"]
    assert (limits["nameMaxGraphemes"], limits["statusMaxGraphemes"]) == (3, 5)
    await api.data("PATCH", "/profile", token=ada["token"], json={"nickName": "\U0001f468\u200d\U0001f469x1"})
    for field, value in (("nickName", "Adaa"), ("status", "Around")):
        error = await api.error("PATCH", "/profile", token=ada["token"], json={field: value})
        assert (error["code"], error["details"]["field"]) == ("profile_invalid", field)


async def test_an_app_wants_fields_filled_in(api: Any, ada: Any) -> None:
    await set_policy(api, required_profile_fields=tuple(ProfileField))
    required = ["nickName", "image", "status", "mobileNumber", "email"]
    assert (await api.data("GET", "/config"))["requiredProfileFields"] == required
    whole = {
        "nickName": "Ada",
        "image": "https://chat.test/a.png",
        "status": "Here",
        "mobileNumber": "1111111111",
        "email": "ada@mail.test",
    }
    error = await api.error("PATCH", "/profile", token=ada["token"], json={**whole, "status": "", "email": ""})
    assert error["details"] == {"field": "status", "missing": ["status", "email"]}
    await api.data("PATCH", "/profile", token=ada["token"], json={"visibility": {"status": "nobody"}})
    saved = await api.data("PATCH", "/profile", token=ada["token"], json=whole)
    assert saved["version"] == 2
    error = await api.error("PATCH", "/profile", token=ada["token"], json={"mobileNumber": ""})
    assert error["details"] == {"field": "mobileNumber", "missing": ["mobileNumber"]}
    await api.data("PATCH", "/users/ada/profile", key="trial secret", json={"mobileNumber": ""})


# ------------------------------------------------------------------------------------------------------------ statuses


async def test_a_user_chooses_from_what_the_app_offers_and_from_recent_statuses(api: Any, ada: Any, bob: Any) -> None:
    wanted = {"statuses": ["Available", " Busy ", "Busy"]}
    offered = await api.data("PUT", "/app/statuses", key="trial secret", json=wanted)
    assert offered == await api.data("GET", "/app/statuses") == {"statuses": ["Available", "Busy"]}
    for status in ("One", "Two", "", "One"):
        await api.data("PATCH", "/profile", token=ada["token"], json={"status": status})
    found = await api.data("GET", "/statuses", token=ada["token"])
    assert found == {"current": "One", "offered": ["Available", "Busy"], "recent": ["One", "Two"]}
    assert (await api.data("GET", "/statuses", token=bob["token"]))["recent"] == []


async def test_recent_statuses_are_the_last_ten_and_can_be_forgotten(api: Any, ada: Any) -> None:
    for number in range(12):
        await api.data("PATCH", "/profile", token=ada["token"], json={"status": f"Status {number}"})
    recent = (await api.data("GET", "/statuses", token=ada["token"]))["recent"]
    assert recent == [f"Status {number}" for number in range(11, 1, -1)]
    left = await api.data("POST", "/statuses/forget", token=ada["token"], json={"status": "Status 5"})
    assert left["recent"] == [status for status in recent if status != "Status 5"]
    left = await api.data("POST", "/statuses/forget", token=ada["token"], json={})
    assert (left["current"], left["recent"]) == ("Status 11", [])


@pytest.mark.parametrize("statuses", [["x" * 140], ["a\u0000"], [str(number) for number in range(51)]])
async def test_an_app_offers_only_what_can_be_a_status(api: Any, statuses: list[str]) -> None:
    error = await api.error("PUT", "/app/statuses", key="trial secret", json={"statuses": statuses})
    assert (error["statusCode"], error["details"]["field"]) == (400, "statuses")
