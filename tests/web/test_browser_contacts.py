"""How people come together, by the browser SDK: imports, the phone book, invitations, requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from heliograph.core import apps
from heliograph.core.apps import NewApp
from heliograph.node import Node


async def test_contacts_are_imported_and_found_by_telephone_number(new_page: Any) -> None:
    ada, bob, eve = [await new_page() for _ in range(3)]
    await ada.sign_in("ada")
    await bob.sign_in("bob")
    await eve.sign_in("eve")
    imported = (await ada.run("await SDK.syncContacts(['bob', 'nobody', 'No Form'])"))["data"]["results"]
    assert [(each["state"], each.get("code")) for each in imported] == [
        ("friend", None),
        ("failed", "account_not_found"),
        ("failed", "identifier_invalid"),
    ]
    await bob.hears("friendsListListener", "event.userId === 'ada' && event.state === 'friend'")

    await eve.run("await SDK.updateProfile({ mobileNumber: '+14155552671' })")
    search = "await SDK.matchPhoneBook(['+1 (415) 555-2671', '+4930123456'])"
    assert (await ada.run(search))["data"]["matches"] == []
    answer = await eve.run("await SDK.setDiscoverability({ byPhone: true })")
    assert answer["data"] == {"byPhone": True, "hasNumber": True}
    assert (await eve.run("await SDK.getDiscoverability()"))["data"]["byPhone"] is True
    assert [match["userId"] for match in (await ada.run(search))["data"]["matches"]] == ["eve"]
    assert (await ada.fails("SDK.matchPhoneBook(['0815'])"))["code"] == "request_invalid"


async def test_an_invitation_by_link_makes_a_contact_and_can_be_revoked(new_page: Any) -> None:
    ada, bob, eve = [await new_page() for _ in range(3)]
    await ada.sign_in("ada")
    await bob.sign_in("bob")
    await eve.sign_in("eve")
    made = (await ada.run("await SDK.createInvitation({ expiresIn: 3600 })"))["data"]
    assert (await bob.run("await SDK.previewInvitation(args[0])", made["url"]))["data"]["userId"] == "ada"
    assert (await bob.run("await SDK.acceptInvitation(args[0])", made["url"]))["data"]["state"] == "friend"
    await ada.hears("friendsListListener", "event.userId === 'bob' && event.state === 'friend'")
    assert (await eve.fails("SDK.acceptInvitation(args[0])", made["token"]))["code"] == "invitation_invalid"

    other = (await ada.run("await SDK.createInvitation()"))["data"]
    assert [each["id"] for each in (await ada.run("await SDK.getInvitations()"))["data"]["invitations"]] == [
        other["id"]
    ]
    await ada.run("await SDK.revokeInvitation(args[0])", other["id"])
    assert (await bob.fails("SDK.previewInvitation(args[0])", other["token"]))["code"] == "invitation_invalid"


async def test_who_is_asked_accepts_or_declines(new_page: Any, node: Node, web_app: NewApp) -> None:
    policy = replace(web_app.app.policy, contacts_sandbox=apps.ContactPolicy.REQUEST)
    await apps.set_policy(node.ports, web_app.app, policy)
    ada, bob, eve = [await new_page() for _ in range(3)]
    await ada.sign_in("ada")
    await bob.sign_in("bob")
    await eve.sign_in("eve")
    for page in (bob, eve):
        assert (await page.run("await SDK.addContact('ada')"))["data"]["state"] == "requested"
    requests = (await ada.run("await SDK.getContactRequests()"))["data"]
    assert sorted(each["userId"] for each in requests["received"]) == ["bob", "eve"]
    assert (await ada.run("await SDK.acceptContact('bob')"))["data"]["state"] == "friend"
    await bob.hears("friendsListListener", "event.userId === 'ada' && event.state === 'friend'")
    await ada.run("await SDK.denyContact('eve')")
    await eve.hears("friendsListListener", "event.userId === 'ada' && event.state === 'removed'")
    assert (await ada.fails("SDK.acceptContact('eve')"))["code"] == "contact_request_not_found"
