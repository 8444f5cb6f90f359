"""An app's own backend, with its secret key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from heliograph import Backend
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.errors import AccountNotFound, RequestInvalid, SecretKeyRequired, SessionNotFound, TokenRevoked
from heliograph.wire import RegisterRequest

API_URL = "https://chat.test"


@pytest.fixture
async def backend(wire: Any, known: NewApp) -> AsyncIterator[Backend]:
    key = known.keys[KeyKind.SECRET, Environment.SANDBOX]
    async with Backend(API_URL, key, http_transport=wire) as client:
        yield client


async def test_a_user_is_registered_looked_at_and_changed(backend: Backend) -> None:
    made = (await backend.register("ada", register_meta_data={"plan": "pro"})).data
    assert made.user_jid == "ada@sandbox.chat.test"
    assert (await backend.get_user("ada")).data.meta_data == {"plan": "pro"}
    assert (await backend.set_meta_data("ada", {"plan": "free"})).data.meta_data == {"plan": "free"}
    changed = (await backend.set_max_sessions("ada", 2)).data
    assert (changed.max_sessions, changed.meta_data) == (2, {"plan": "free"})
    assert (await backend.set_max_sessions("ada", None)).data.max_sessions is None
    with pytest.raises(AccountNotFound):
        await backend.get_user("nobody")


async def test_a_registration_is_repeated_by_its_key(backend: Backend) -> None:
    first = (await backend.register("ada", idempotency_key="one")).data
    again = (await backend.register("ada", idempotency_key="one")).data
    assert first.session_id == again.session_id
    with pytest.raises(RequestInvalid):
        await backend.register("ada", idempotency_key="not visible")


async def test_many_users_are_registered_with_progress_and_each_outcome(backend: Backend, wire: Any) -> None:
    users: list[RegisterRequest | str] = [f"user-{number}" for number in range(98)]
    progress: list[tuple[int, int]] = []
    asked = [*users, "No One", RegisterRequest(user_identifier="ada", register_meta_data={"plan": "pro"})]
    results = await backend.register_many(asked, idempotency_key="k", on_progress=lambda *told: progress.append(told))
    assert [each.status for each in results[-3:]] == ["registered", "failed", "registered"]
    assert progress == [(100, 100)]
    assert wire.paths() == ["POST /users/bulk"]
    again = await backend.register_many(asked, idempotency_key="k")
    sessions = [[each.data.session_id for each in answer if each.data] for answer in (results, again)]
    assert sessions[0] == sessions[1]


async def test_all_users_are_listed_across_pages(backend: Backend, wire: Any) -> None:
    await backend.register_many([f"user-{number:02}" for number in range(60)])
    assert [user.user_id async for user in backend.list_users()] == [f"user-{number:02}" for number in range(60)]
    assert [user.user_id async for user in backend.list_users("user-5")] == [f"user-5{digit}" for digit in range(10)]


async def test_a_user_is_signed_out_everywhere_or_on_one_device(backend: Backend, new_sdk: Any) -> None:
    one, two = await new_sdk(), await new_sdk()
    first, second = (await one.register("ada")).data, (await two.register("ada")).data
    assert [each.id for each in (await backend.get_sessions("ada")).data.sessions] == [
        first.session_id,
        second.session_id,
    ]
    await backend.logout_session("ada", first.session_id)
    with pytest.raises(TokenRevoked):
        await one.get_user_profile("ada")
    with pytest.raises(SessionNotFound):
        await backend.logout_session("ada", first.session_id)
    assert (await backend.logout_everywhere("ada")).data.session_ids == (second.session_id,)
    with pytest.raises(TokenRevoked):
        await two.get_user_profile("ada")


async def test_a_user_is_blocked_deleted_and_heard(backend: Backend, new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    assert (await backend.block_user("ada")).data.is_admin_blocked
    assert not (await backend.unblock_user("ada")).data.is_admin_blocked
    await sdk.register("ada")
    await sdk.delete_my_account("done", "Thank you")
    assert [said.feedback async for said in backend.get_feedback()] == ["Thank you"]
    await backend.register("bob")
    await backend.delete_user("bob", immediately=True)
    with pytest.raises(AccountNotFound):
        await backend.restore_user("bob")


async def test_a_publishable_key_is_no_backend(wire: Any, trial_key: str) -> None:
    async with Backend(API_URL, trial_key, http_transport=wire) as client:
        with pytest.raises(SecretKeyRequired):
            await client.get_user("ada")


async def test_users_find_each_other(new_sdk: Any) -> None:
    ada, bob = await new_sdk(), await new_sdk()
    await ada.register("ada")
    await bob.register("bob", register_meta_data={"team": "blue"})
    found = (await ada.get_users_list("bo", metadata={"team": "blue"})).data
    assert [(user.user_id, user.meta_data) for user in found.users] == [("bob", {"team": "blue"})]
    assert (found.total_records, found.total_pages) == (1, 1)
    assert (await ada.get_users_list("bo", metadata={"team": "red"})).data.users == ()
