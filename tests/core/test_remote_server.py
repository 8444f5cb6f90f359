"""Whose connection is it? What one sign-in can have bound."""

from __future__ import annotations

import pytest

from heliograph.core.remote_server import Bound, SignIn, attribute, claim

NOW = 1000.0


def test_a_connection_belongs_to_the_only_sign_in_that_can_have_made_it() -> None:
    assert attribute([Bound("phone", NOW + 1)], [SignIn(1, "one", NOW)]) == {"phone": "one"}


@pytest.mark.parametrize("late_s", [-10, 60])
def test_a_sign_in_binds_nothing_before_it_and_nothing_long_after_it(late_s: float) -> None:
    assert attribute([Bound("phone", NOW + late_s)], [SignIn(1, "one", NOW)]) == {"phone": None}


def test_a_sign_in_that_has_bound_leaves_the_next_connection_to_the_next() -> None:
    sign_ins = [SignIn(1, "one", NOW, "phone", NOW + 0.1), SignIn(2, "two", NOW + 1)]
    connections = [Bound("phone", NOW + 0.1), Bound("desk", NOW + 1.2)]
    assert attribute(connections[1:], sign_ins) == {"desk": "two"}
    claimed = [sign_ins[0], SignIn(2, "two", NOW + 1, "desk", NOW + 1.2)]
    assert attribute(connections, claimed) == {"phone": "one", "desk": "two"}


def test_of_two_open_sign_ins_nobody_knows_which_has_bound() -> None:
    sign_ins = [SignIn(1, "one", NOW), SignIn(2, "two", NOW + 1)]
    assert attribute([Bound("phone", NOW + 2)], sign_ins) == {"phone": None}


def test_two_sign_ins_of_one_session_are_one() -> None:
    sign_ins = [SignIn(1, "one", NOW), SignIn(2, "one", NOW + 1)]
    assert attribute([Bound("phone", NOW + 2)], sign_ins) == {"phone": "one"}


def test_who_takes_the_resource_of_another_session_is_not_taken_for_it() -> None:
    sign_ins = [SignIn(1, "one", NOW, "phone", NOW + 1), SignIn(2, "two", NOW + 600)]
    assert attribute([Bound("phone", NOW + 601)], sign_ins) == {"phone": "two"}
    at_once = [SignIn(1, "one", NOW, "phone", NOW + 1), SignIn(2, "two", NOW + 1.5)]
    assert attribute([Bound("phone", NOW + 2)], at_once) == {"phone": None}


def test_a_connection_without_a_sign_in_is_nobodys() -> None:
    assert attribute([Bound("phone", NOW)], []) == {"phone": None}


class Kept:
    """Sign-ins in memory, as far as `claim` asks for them."""

    def __init__(self, *sign_ins: SignIn) -> None:
        self.kept = list(sign_ins)
        self.claimed: list[tuple[int, str]] = []

    async def sign_ins(self, _jid: str) -> list[SignIn]:
        return self.kept

    async def claim(self, number: int, resource: str, _bound_at: float) -> bool:
        self.claimed.append((number, resource))
        return True


@pytest.mark.parametrize(
    ("sign_ins", "session", "claimed"),
    [
        ([SignIn(1, "one", NOW)], "one", [(1, "phone")]),
        ([SignIn(1, "one", NOW), SignIn(2, "one", NOW)], "one", [(1, "phone")]),
        ([SignIn(1, "one", NOW), SignIn(2, "two", NOW)], None, []),
        ([SignIn(1, "one", NOW - 900, "phone", NOW - 900)], "one", []),
        ([SignIn(1, "one", NOW - 900, "phone", NOW - 900), SignIn(2, "two", NOW)], "two", [(2, "phone")]),
        ([SignIn(1, "one", NOW - 900, "desk", NOW - 900)], None, []),
        ([], None, []),
    ],
    ids=["one", "one twice", "either", "seen before", "taken over", "another's", "nobody's"],
)
async def test_a_connection_that_is_seen_is_noted_once_as_its_sessions(
    sign_ins: list[SignIn], session: str | None, claimed: list[tuple[int, str]]
) -> None:
    store = Kept(*sign_ins)
    assert await claim(store, "ada@chat.example", "phone", NOW + 1) == session  # type: ignore[arg-type]
    assert store.claimed == claimed
