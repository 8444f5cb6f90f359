"""Registration, connecting, the cap, the end of sessions: the same on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph import ConnectionStatus
from heliograph.core.apps import Environment
from heliograph.errors import AdminBlocked, AuthenticationFailed, SessionLimit
from heliograph.sdk.events import FriendsListUpdate, UserDeleted


async def test_a_registered_device_connects_with_its_password_and_no_other(join: Any, user: Any) -> None:
    ada = await join(user("ada"), is_connected=False)
    for password in ("wrong", ""):
        with pytest.raises(AuthenticationFailed):
            await ada.sdk.connect(ada.user, password)
    assert (await ada.sdk.connect(ada.user, ada.password)).to_dict() == {"statusCode": 200, "message": "Login Success"}


async def test_nobody_connects_who_is_not_registered(join: Any, user: Any) -> None:
    ada = await join(user("ada"), is_connected=False)
    with pytest.raises(AuthenticationFailed):
        await ada.sdk.connect(user("nobody"), ada.password)


async def test_at_the_cap_a_registration_is_refused_or_ends_the_least_recently_active_session(
    join: Any, user: Any
) -> None:
    name = user("ada")
    devices = [await join(name) for _ in range(3)]
    with pytest.raises(SessionLimit) as refused:
        await devices[0].sdk.register(name, force_register=False)
    assert (refused.value.status_code, len(refused.value.details["sessions"])) == (405, 3)
    least = min(refused.value.details["sessions"], key=lambda session: session["lastActiveAt"])
    newest = await join(name, is_connected=False)
    (evicted,) = [device for device in devices if device.session_id == least["id"]]
    assert (await evicted.becomes(ConnectionStatus.LOGOUT)).reason == "evicted"
    await newest.connect()  # not before: a sign-in within three seconds of the others could be taken for theirs
    assert [device.sdk.connection_status for device in devices if device is not evicted] == [
        ConnectionStatus.CONNECTED
    ] * 2


async def test_a_named_session_is_replaced(join: Any, user: Any) -> None:
    name = user("ada")
    first, second = await join(name), await join(name)
    third = await join(name, is_connected=False)
    await third.register(replace_session=second.session_id)
    assert (await second.becomes(ConnectionStatus.LOGOUT)).reason == "replaced"
    assert first.sdk.connection_status is ConnectionStatus.CONNECTED


async def test_ending_one_session_ends_that_device_alone_and_for_good(join: Any, user: Any) -> None:
    name = user("ada")
    ada, tablet = await join(name), await join(name)
    await ada.sdk.logout_session(tablet.session_id)
    assert (await tablet.becomes(ConnectionStatus.LOGOUT)).reason == "ended_by_user"
    assert ada.sdk.connection_status is ConnectionStatus.CONNECTED
    with pytest.raises(AuthenticationFailed):
        await tablet.sdk.connect(name, tablet.password)
    assert [each.id for each in (await ada.sdk.get_sessions()).data.sessions] == [ada.session_id]


async def test_logging_out_ends_the_session(join: Any, user: Any) -> None:
    ada = await join(user("ada"))
    await ada.sdk.logout()
    assert ada.sdk.connection_status is ConnectionStatus.LOGOUT
    with pytest.raises(AuthenticationFailed):
        await ada.sdk.connect(ada.user, ada.password)


async def test_a_user_whom_the_operator_blocks_is_out_until_the_block_ends(join: Any, user: Any, place: Any) -> None:
    name = user("ada")
    ada, tablet = await join(name), await join(name)
    await place.call("POST", f"/users/{name}/block")
    for device in (ada, tablet):
        assert (await device.becomes(ConnectionStatus.LOGOUT)).reason == "admin_blocked"
    with pytest.raises((AdminBlocked, AuthenticationFailed)):
        await ada.sdk.connect(name, ada.password)
    await place.call("POST", f"/users/{name}/unblock")
    again = await join(name)
    assert again.sdk.connection_status is ConnectionStatus.CONNECTED


async def test_a_deleted_user_is_out_on_every_device_and_out_of_every_roster(join: Any, user: Any) -> None:
    name, other = user("ada"), user("bob")
    ada, tablet, bob = await join(name), await join(name), await join(other)
    await ada.sdk.add_contact(other)
    await bob.hears(FriendsListUpdate, lambda change: change.state == "friend")
    await ada.sdk.delete_my_account("Moving on")
    for device in (ada, tablet):
        assert (await device.hears(UserDeleted)).user_id == name
    assert (await bob.hears(FriendsListUpdate, lambda change: change.state == "removed")).user_id == name


async def test_a_token_lives_as_long_as_its_session(user: Any, place: Any) -> None:
    name = user("ada")
    phone, tablet = await place.register(name), await place.register(name)
    sessions = await place.call("GET", "/sessions", tablet)
    (ended,) = [each["id"] for each in sessions["sessions"] if each["current"]]
    await place.call("DELETE", f"/sessions/{ended}", phone)
    headers = {"Heliograph-Key": place.key(Environment.SANDBOX), "Authorization": f"Bearer {tablet.token}"}
    answer = await place.http.get("/api/v1/sessions", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")
    await place.call("GET", "/sessions", phone)
