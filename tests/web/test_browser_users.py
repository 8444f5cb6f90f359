"""Finding users, metadata, status texts and deletion, by the browser SDK."""

from __future__ import annotations

from typing import Any


async def test_users_are_found_by_what_may_be_seen_of_them(new_page: Any) -> None:
    ada, bob = await new_page(), await new_page()
    await ada.sign_in("ada")
    await bob.run("await SDK.register('bob', true, { team: 'blue' })")
    await bob.run("await SDK.setUserProfile('Robert Example', null, null, null, 'bob@example.com')")
    found = (await ada.run("await SDK.getUsersList('exa')"))["data"]
    assert [(user["userId"], user["metaData"]) for user in found["users"]] == [("bob", {"team": "blue"})]
    page = (await ada.run("await SDK.getUsersList('', 1, 1)"))["data"]
    assert (len(page["users"]), page["totalRecords"]) == (1, 1)  # oneself is not among them
    assert (await ada.run("await SDK.getUsersList('bob@example.com')"))["data"]["users"] == []  # for contacts alone
    named = (await ada.run("await SDK.getUsersList('', 1, 20, { team: 'blue' })"))["data"]["users"]
    assert [user["userId"] for user in named] == ["bob"]
    assert (await ada.fails("SDK.getUsersList('', 0)"))["code"] == "request_invalid"


async def test_metadata_is_read_changed_and_replaced(new_page: Any) -> None:
    ada = await new_page()
    await ada.run("await SDK.register('ada', true, { team: 'blue', vip: true })")
    assert (await ada.run("await SDK.getMetaData()"))["data"]["metaData"] == {"team": "blue", "vip": True}
    changed = (await ada.run("await SDK.updateMetaData({ team: null, level: 3 })"))["data"]["metaData"]
    assert changed == {"vip": True, "level": 3}
    assert (await ada.run("await SDK.replaceMetaData({ a: 'b' })"))["data"]["metaData"] == {"a": "b"}
    assert (await ada.fails("SDK.updateMetaData({ b: 1, c: 2, d: 3 })"))["code"] == "metadata_invalid"


async def test_status_texts_are_remembered_until_they_are_forgotten(new_page: Any) -> None:
    ada = await new_page()
    await ada.sign_in("ada")
    for status in ("At work", "At home"):
        await ada.run("await SDK.updateProfile({ status: args[0] })", status)
    listed = (await ada.run("await SDK.getStatusList()"))["data"]
    assert (listed["current"], listed["recent"]) == ("At home", ["At home", "At work"])
    assert (await ada.run("await SDK.deleteRecentStatus('At work')"))["data"]["recent"] == ["At home"]
    assert (await ada.run("await SDK.clearRecentStatuses()"))["data"]["recent"] == []


async def test_who_deletes_the_account_is_signed_out_everywhere_and_told_why(new_page: Any) -> None:
    ada, phone = await new_page(), await new_page()
    await ada.sign_in("ada")
    await phone.sign_in("ada")
    answer = await ada.run("await SDK.deleteMyAccount('moving on', 'it was fine')")
    assert answer["data"]["purgeAt"] >= answer["data"]["deletedAt"]
    assert (await phone.hears("userDeletedListener"))["userId"] == "ada"
    assert (await phone.hears("connectionListener", "event.status === 'LOGOUT'"))["reason"] == "account_deleted"
