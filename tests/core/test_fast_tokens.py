"""The two slots of a client's tokens (XEP-0484)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heliograph.core import limits
from heliograph.core.fast_tokens import FastSlots, FastToken, Wish, expiry, settle, text
from heliograph.errors import TokenExpired, TokenRevoked

NOW = 1_800_000_000.0
MECHANISM = "HT-SHA-256-NONE"
OLDER = FastToken(b"older", MECHANISM, NOW, NOW + limits.FAST_TOKEN_TTL_S)
NEWER = FastToken(b"newer", MECHANISM, NOW, NOW + limits.FAST_TOKEN_TTL_S)
BOTH = FastSlots(OLDER, NEWER)


def after(slots: FastSlots, wish: Wish, now: float = NOW) -> FastSlots:
    return settle(slots, wish, b"fresh", now)


def fresh(now: float = NOW, mechanism: str = MECHANISM) -> FastToken:
    return FastToken(b"fresh", mechanism, now, now + limits.FAST_TOKEN_TTL_S)


def test_a_new_token_leaves_the_one_alone_that_the_client_may_still_need() -> None:
    assert after(FastSlots(), Wish(mechanism=MECHANISM)) == FastSlots(None, fresh())
    assert after(FastSlots(OLDER), Wish(mechanism=MECHANISM)) == FastSlots(OLDER, fresh())


def test_a_new_token_ends_one_that_was_never_used() -> None:
    assert after(BOTH, Wish(mechanism=MECHANISM)) == FastSlots(OLDER, fresh())


def test_the_first_use_of_a_token_ends_the_one_before_it() -> None:
    used = after(BOTH, Wish(used=b"newer"))
    assert used == FastSlots(NEWER)
    with pytest.raises(TokenRevoked):
        after(used, Wish(used=b"older"))


def test_the_older_token_works_until_then() -> None:
    assert after(BOTH, Wish(used=b"older")) == BOTH


def test_a_token_that_is_due_gets_a_successor_when_it_is_used() -> None:
    due = NOW + limits.FAST_ROTATE_S
    assert after(FastSlots(OLDER), Wish(used=b"older"), due - 1) == FastSlots(OLDER)
    assert after(FastSlots(OLDER), Wish(used=b"older"), due) == FastSlots(OLDER, fresh(due))


def test_a_client_may_ask_for_a_token_for_another_mechanism() -> None:
    wish = Wish(used=b"older", mechanism="HT-SHA-256-ENDP")
    assert after(FastSlots(OLDER), wish) == FastSlots(OLDER, fresh(mechanism="HT-SHA-256-ENDP"))


def test_a_use_that_was_counted_does_not_count_again() -> None:
    used = after(BOTH, Wish(used=b"older", count=5))
    assert used == FastSlots(replace(OLDER, count=5), NEWER)
    for count in (5, 4, 1):
        with pytest.raises(TokenRevoked):
            after(used, Wish(used=b"older", count=count))
    assert after(used, Wish(used=b"older", count=6)).current == replace(OLDER, count=6)
    assert after(BOTH, Wish(used=b"newer", count=1)) == FastSlots(replace(NEWER, count=1))


def test_the_last_use_leaves_nothing_unless_a_new_token_is_asked_for() -> None:
    due = NOW + limits.FAST_ROTATE_S
    assert after(BOTH, Wish(used=b"older", is_last=True), due) == FastSlots()
    assert after(BOTH, Wish(used=b"newer", is_last=True, mechanism=MECHANISM)) == FastSlots(None, fresh())


def test_a_token_whose_time_is_over_signs_nobody_in() -> None:
    for slots in (FastSlots(OLDER), FastSlots(None, OLDER)):
        with pytest.raises(TokenExpired):
            after(slots, Wish(used=b"older"), OLDER.expires_at)


def test_a_token_differs_by_all_that_it_is_for() -> None:
    made = {
        text(secret, session, client, token)
        for secret in (b"a", b"b")
        for session in ("phone", "laptop")
        for client in ("x", "y")
        for token in (OLDER, NEWER, replace(OLDER, mechanism="HT-SHA-256-ENDP"))
    }
    assert len(made) == 24
    assert all(each.startswith("hgf_") and len(each) == 47 for each in made)
    assert text(b"a", "phone", "x", OLDER) == text(b"a", "phone", "x", replace(OLDER, count=7, expires_at=0.0))


def test_its_end_is_told_in_utc() -> None:
    assert expiry(replace(OLDER, expires_at=1_800_000_000.9)) == "2027-01-15T08:00:00Z"
