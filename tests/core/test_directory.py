"""By which terms a user is found, and which spans a search looks into."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core import directory
from heliograph.core.profiles import Profile, Visibility


def finds(text: str, profile: Profile) -> bool:
    terms = [term.term for term in directory.profile_terms(profile)]
    return any(span.low <= term < span.high for span in directory.spans(text) for term in terms)


@pytest.mark.parametrize("text", ["ada", "Ada  Love", "lovelace", "LOVE", "\uff41\uff44\uff41"])
def test_a_name_is_found_by_the_beginning_of_each_of_its_words(text: str) -> None:
    assert finds(text, Profile("ada@chat.example", name="Ada Lovelace"))


@pytest.mark.parametrize("text", ["da", "lace", "ada byron", "lovelace ada"])
def test_a_name_is_not_found_by_what_stands_inside_a_word(text: str) -> None:
    assert not finds(text, Profile("ada@chat.example", name="Ada Lovelace"))


def test_an_address_and_a_number_are_found_whole_and_not_by_their_beginning() -> None:
    profile = Profile("ada@chat.example", email="Ada@Mail.example", mobile="+442071234567")
    assert finds("ada@mail.example", profile)
    assert finds("+44 (20) 7123-4567", profile)
    assert not finds("ada@mail.exam", profile)
    assert not finds("+44207123456", profile)


def test_the_audience_is_that_of_the_field_and_a_hidden_field_finds_nobody() -> None:
    profile = Profile("ada@chat.example", name="Ada", email="a@b.example", visibility={"name": Visibility.NOBODY})
    assert {term.audience for term in directory.profile_terms(profile)} == {Visibility.CONTACTS}
    assert directory.profile_terms(Profile("ada@chat.example")) == frozenset()


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), ("1", 1), ("true", True)])
def test_metadata_of_another_type_is_another_entry(one: Any, other: Any) -> None:
    assert directory.metadata_terms({"key": one}) != directory.metadata_terms({"key": other})


def test_a_long_name_makes_no_more_terms_than_the_bound() -> None:
    profile = Profile("ada@chat.example", name=" ".join(["word"] * 30))
    assert len(directory.profile_terms(profile)) <= 8
    assert all(len(term.term) <= 129 for term in directory.profile_terms(profile))
