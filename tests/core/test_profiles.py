"""The rules of profiles, without a store."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import limits
from heliograph.core.contacts import RosterItem
from heliograph.core.profiles import (
    Profile,
    ProfileChange,
    Viewer,
    Visibility,
    apply,
    card,
    change_from_card,
    check,
    redact,
    viewer_of,
)
from heliograph.errors import ProfileConflict, ProfileInvalid
from heliograph.xmpp.vcard import from_vcard4, to_vcard4

FAMILY = "👨‍👩‍👧‍👦"
KISS = "👩🏽‍❤️‍💋‍👨🏾"
TEL = "<tel><parameters><type><text>cell</text></type></parameters><uri>tel:+13033083282</uri></tel>"
ADA = Profile(
    "ada@chat.example",
    version=3,
    name="Ada",
    image="https://x/a.png",
    thumb_image="https://x/t.png",
    status="hi",
    mobile="+13033083282",
    email="ada@example.com",
    vcard_extra=TEL + "<org><text>Engines</text></org>",
)


def refused_field(change: ProfileChange) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        check(change)
    return str(caught.value.details["field"])


# ----------------------------------------------------------------------------------------------------------- the fields


@pytest.mark.parametrize("name", ["A", "a" * 64, "é" * 64, FAMILY * 64, "🇩🇪" * 64, "Zoë 李", "e\u0301" * 64])
def test_a_name_has_up_to_64_graphemes(name: str) -> None:
    assert check(ProfileChange(name=name)).name == name


@pytest.mark.parametrize("name", ["a" * 65, FAMILY * 65, " ", "\u200b", "\u0301", "a\nb", "a\u2028b", "a\x07", "a\tb"])
def test_a_longer_blank_or_broken_name_is_refused(name: str) -> None:
    assert refused_field(ProfileChange(name=name)) == "name"


@pytest.mark.parametrize("status", ["a" * 139, KISS * 139, "two\nlines"])
def test_a_status_has_up_to_139_graphemes(status: str) -> None:
    assert check(ProfileChange(status=status)).status == status


@pytest.mark.parametrize(
    "status", ["a" * 140, KISS * 140, "a\x00b", "\ud800", "a\uffffb", "a\x85b", "a\u0301" + "\u0301" * 5000]
)
def test_a_longer_or_broken_status_is_refused(status: str) -> None:
    assert refused_field(ProfileChange(status=status)) == "status"


def test_line_ends_and_spaces_are_brought_to_one_form() -> None:
    checked = check(ProfileChange(name="  Ada ", status=" one\r\ntwo\rthree\tfour "))
    assert (checked.name, checked.status) == ("Ada", "one\ntwo\nthree four")


@pytest.mark.parametrize(
    ("given_number", "stored"),
    [
        ("1111111111", "1111111111"),
        ("+13033083282", "+13033083282"),
        ("+1 (303) 308-3282", "+13033083282"),
        ("4917612345678", "4917612345678"),
        ("+919876543210", "+919876543210"),
    ],
)
def test_a_possible_mobile_number_is_stored_without_separators(given_number: str, stored: str) -> None:
    assert check(ProfileChange(mobile=given_number)).mobile == stored


@pytest.mark.parametrize(
    "number",
    [
        "123",
        "+123",
        "abc",
        "+1303308328",
        "12345678901234567890",
        "0176 1234567",
        "1800FLOWERS",
        "+",
        "٣٣٣٣٣٣٣٣٣٣",
        " ",
    ],
)
def test_an_impossible_mobile_number_is_refused(number: str) -> None:
    assert refused_field(ProfileChange(mobile=number)) == "mobile"


@pytest.mark.parametrize(
    ("given_address", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada@EXAMPLE.com ", "Ada@example.com"),
        ("ada@chat.test", "ada@chat.test"),
    ],
)
def test_an_email_address_is_valid_without_asking_the_dns(given_address: str, stored: str) -> None:
    assert check(ProfileChange(email=given_address)).email == stored


@pytest.mark.parametrize(
    "address", ["not-an-email", "a@", "@b.c", "a b@c.de", "a@b..c", f"{'a' * 65}@example.com", "a\x00@b.cd"]
)
def test_a_wrong_email_address_is_refused(address: str) -> None:
    assert refused_field(ProfileChange(email=address)) == "email"


@pytest.mark.parametrize(
    "url", ["https://cdn.example/a.png?x=1&y=2", "http://127.0.0.1:8080/a", "https://[::1]/a", "https://x/ä"]
)
def test_an_image_is_a_web_address(url: str) -> None:
    assert check(ProfileChange(image=url)).image == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//cdn.example/a",
        "a.png",
        "https://",
        "https://user:secret@x/a",
        "https://x:99999/a",
        "https://x:y/a",
        "https://[::1/a",
        "https://x/a b",
        "ht\ntps://x/a",
        "https://x/\x00",
        "https://x/" + "a" * 2048,
        "data:image/png;base64,aGk=",
    ],
)
def test_any_other_image_is_refused(url: str) -> None:
    assert refused_field(ProfileChange(image=url)) == "image"
    assert refused_field(ProfileChange(thumb_image=url)) == "thumb_image"


def test_an_image_address_has_up_to_2048_bytes() -> None:
    url = "https://x/" + "a" * (limits.IMAGE_URL_MAX_BYTES - 10)
    assert check(ProfileChange(image=url)).image == url


def test_further_properties_are_checked() -> None:
    assert check(ProfileChange(vcard_extra=" <org><text>x</text></org> ")).vcard_extra == "<org><text>x</text></org>"
    assert refused_field(ProfileChange(vcard_extra="<org>")) == "vcard_extra"


def test_visibility_names_known_fields_and_groups() -> None:
    assert check(ProfileChange(visibility={"email": Visibility.NOBODY})).visibility == {"email": Visibility.NOBODY}
    assert refused_field(ProfileChange(visibility={"jid": Visibility.NOBODY})) == "visibility"
    assert refused_field(ProfileChange(visibility={"email": "friends"})) == "visibility"  # type: ignore[dict-item]


def test_none_leaves_and_the_empty_string_clears() -> None:
    assert check(ProfileChange()) == ProfileChange()
    assert check(ProfileChange(status="", image="")) == ProfileChange(status="", image="")


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_checked_change_passes_again_unchanged(name: str, status: str) -> None:
    try:
        checked = check(ProfileChange(name=name, status=status))
    except ProfileInvalid:
        return
    assert check(checked) == checked


def test_a_value_that_the_profile_has_is_not_checked_again() -> None:
    kept = replace(ADA, email="of an older rule", mobile="12")
    change = ProfileChange(name=" Ada King ", email=kept.email, mobile=kept.mobile)
    assert check(change, kept) == replace(change, name="Ada King")
    with pytest.raises(ProfileInvalid):
        check(replace(change, mobile="13"), kept)


# --------------------------------------------------------------------------------------------------------- the versions


def test_a_change_counts_one_version() -> None:
    changed = apply(ADA, ProfileChange(status="new", email=""), now=9.0)
    assert changed == replace(ADA, version=4, status="new", email="", updated_at=9.0)


def test_a_change_that_changes_nothing_is_none() -> None:
    assert apply(ADA, ProfileChange(status="hi", name="Ada"), now=9.0) is ADA
    assert apply(ADA, ProfileChange(), now=9.0) is ADA


def test_an_outdated_version_is_a_conflict_that_names_the_current_one() -> None:
    with pytest.raises(ProfileConflict) as caught:
        apply(ADA, ProfileChange(status="new"), now=9.0, version=2)
    assert caught.value.details == {"version": 3}
    assert apply(ADA, ProfileChange(status="new"), now=9.0, version=3).version == 4


def test_a_name_once_set_cannot_be_cleared() -> None:
    with pytest.raises(ProfileInvalid) as caught:
        apply(ADA, ProfileChange(name=""), now=9.0)
    assert caught.value.details == {"field": "name"}
    nobody = Profile("x@chat.example")
    assert apply(nobody, ProfileChange(name=""), now=9.0) is nobody


def test_a_new_image_drops_the_old_thumbnail() -> None:
    assert apply(ADA, ProfileChange(image="https://x/b.png"), now=9.0).thumb_image == ""
    both = ProfileChange(image="https://x/b.png", thumb_image="https://x/u.png")
    assert apply(ADA, both, now=9.0).thumb_image == "https://x/u.png"
    assert apply(ADA, ProfileChange(image="https://x/a.png"), now=9.0) is ADA


def test_a_changed_number_is_gone_from_the_vcard_too() -> None:
    changed = apply(ADA, ProfileChange(mobile="+442079460000"), now=9.0)
    assert changed.vcard_extra == "<org><text>Engines</text></org>"
    assert "3282" not in to_vcard4(card(changed))


def test_visibility_changes_field_by_field() -> None:
    once = apply(ADA, ProfileChange(visibility={"email": Visibility.EVERYONE}), now=9.0)
    twice = apply(once, ProfileChange(visibility={"status": Visibility.NOBODY}), now=9.0)
    assert twice.visibility == {"email": Visibility.EVERYONE, "status": Visibility.NOBODY}
    assert twice.version == 5


# -------------------------------------------------------------------------------------------------------- who sees what


def test_by_default_strangers_see_neither_number_nor_address() -> None:
    seen = redact(ADA, Viewer.STRANGER)
    assert (seen.name, seen.image, seen.thumb_image, seen.status) == (ADA.name, ADA.image, ADA.thumb_image, ADA.status)
    assert (seen.mobile, seen.email, seen.vcard_extra) == ("", "", "")


def test_by_default_contacts_see_everything() -> None:
    assert redact(ADA, Viewer.CONTACT) == ADA


def test_the_user_sees_everything_and_the_own_choices() -> None:
    chosen = replace(ADA, visibility={"email": Visibility.NOBODY})
    assert redact(chosen, Viewer.SELF) is chosen
    assert redact(chosen, Viewer.CONTACT).visibility == {}


@pytest.mark.parametrize("viewer", Viewer)
@pytest.mark.parametrize("visibility", Visibility)
def test_each_field_is_seen_by_whom_the_user_has_chosen(viewer: Viewer, visibility: Visibility) -> None:
    for field in ("name", "image", "status", "mobile", "email"):
        seen = redact(replace(ADA, visibility={field: visibility}), viewer)
        is_seen = (
            viewer is Viewer.SELF
            or visibility is Visibility.EVERYONE
            or (visibility is Visibility.CONTACTS and viewer is Viewer.CONTACT)
        )
        assert bool(getattr(seen, field)) is is_seen
        if field == "image":
            assert bool(seen.thumb_image) is is_seen


def test_a_hidden_number_does_not_leak_by_the_vcard() -> None:
    hidden = replace(ADA, visibility={"mobile": Visibility.NOBODY})
    assert "303" not in to_vcard4(card(redact(hidden, Viewer.CONTACT)))


@pytest.mark.parametrize(
    ("subscription", "viewer"),
    [("none", Viewer.STRANGER), ("to", Viewer.STRANGER), ("from", Viewer.CONTACT), ("both", Viewer.CONTACT)],
)
def test_a_contact_is_who_gets_the_users_presence(subscription: str, viewer: Viewer) -> None:
    assert viewer_of(RosterItem("bob@chat.example", subscription)) is viewer
    assert viewer_of(None) is Viewer.STRANGER


# ----------------------------------------------------------------------------------------------------- a client's vCard


def test_a_published_vcard_that_changes_nothing_changes_nothing() -> None:
    published = from_vcard4(fromstring(to_vcard4(card(ADA))), limits.VCARD_EXTRA_MAX_BYTES, card(ADA))
    assert apply(ADA, check(change_from_card(published)), now=9.0) is ADA


def test_a_published_vcard_clears_what_it_lacks_but_the_name() -> None:
    published = from_vcard4(
        fromstring("<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><note><text>new</text></note></vcard>"),
        100,
        card(ADA),
    )
    assert apply(ADA, check(change_from_card(published)), now=9.0) == Profile(
        "ada@chat.example", version=4, name="Ada", status="new", updated_at=9.0
    )
