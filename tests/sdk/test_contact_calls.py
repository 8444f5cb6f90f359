"""Requests, imports, telephone numbers and invitations through the Python SDK."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph import SDK
from heliograph.core import phone_book
from heliograph.errors import InvitationInvalid, RequestInvalid
from heliograph.sdk.phone_book import phone_hash


@pytest.fixture
async def ada(new_sdk: Any) -> SDK:
    sdk: SDK = await new_sdk()
    await sdk.register("ada")
    return sdk


@pytest.fixture
async def bob(new_sdk: Any) -> SDK:
    sdk: SDK = await new_sdk()
    await sdk.register("bob")
    return sdk


async def test_many_contacts_are_made_at_once(ada: SDK, bob: SDK) -> None:
    done = await ada.sync_contacts(["bob", "nobody"])
    assert [(each.user_id, each.state, each.code) for each in done.data.results] == [
        ("bob", "friend", None),
        ("nobody", "failed", "account_not_found"),
    ]
    assert done.to_dict()["data"]["results"][0] == {"userId": "bob", "state": "friend"}
    requests = (await bob.get_contact_requests()).data
    assert (requests.received, requests.sent) == ((), ())


async def test_a_phone_book_finds_who_has_agreed(ada: SDK, bob: SDK) -> None:
    await bob.set_user_profile("Bob", None, None, "+49 30 123456")
    assert not (await bob.get_discoverability()).data.by_phone
    assert (await bob.set_discoverability(by_phone=True)).data.has_number
    found = (await ada.match_phone_book(["+49 (30) 12-34.56", "+4930999999"])).data.matches
    assert [each.profile.nick_name for each in found] == ["Bob"]


def test_both_sides_hash_a_number_in_the_same_way() -> None:
    hashed = phone_book.digest("chat.test", "+4930123456")
    assert phone_hash("chat.test", "+49 30 123456") == phone_book.text_of(hashed)


@pytest.mark.parametrize("number", ["030 123456", "+", "+0123456", "+49 30 12345a", "+1234567890123456"])
def test_a_number_without_country_code_is_refused(number: str) -> None:
    with pytest.raises(RequestInvalid):
        phone_hash("chat.test", number)


async def test_an_invitation_is_made_followed_and_revoked(ada: SDK, bob: SDK) -> None:
    made = (await ada.create_invitation(max_uses=3)).data
    assert made.token not in repr(made)
    assert (await bob.preview_invitation(made.url)).data.user_id == "ada"
    assert (await bob.accept_invitation(made.url)).data.state == "friend"
    assert [each.uses for each in (await ada.get_invitations()).data.invitations] == [1]
    await ada.revoke_invitation(made.id)
    with pytest.raises(InvitationInvalid):
        await bob.accept_invitation(made.token)
