"""Which sessions make room for a new one, and how a session is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.sessions import Credentials, Device, Session, Verifiers, Via, admit, clip, describe
from heliograph.errors import SessionLimit, SessionNotFound

NOW = 1_800_000_000.0


def session(number: int, last_active_at: float = NOW, via: Via = Via.REGISTER, browser: str = "") -> Session:
    return Session(f"ses_{number}", 1, via, Device("laptop", browser, "Debian", "192.0.2.7"), NOW, last_active_at)


live_sessions = st.lists(st.integers(0, 3), max_size=12).map(
    lambda idle: [session(number, NOW - seconds) for number, seconds in enumerate(idle)]
)


@given(live_sessions, st.integers(1, 6), st.booleans(), st.none() | st.integers(0, 13))
def test_admission_keeps_the_cap_ends_no_more_than_needed_and_spares_the_active(
    sessions: list[Session], cap: int, force: bool, replaced: int | None
) -> None:
    ids = [found.id for found in sessions]
    replace = None if replaced is None else f"ses_{replaced}"
    if replace is not None and replace not in ids:
        with pytest.raises(SessionNotFound):
            admit(sessions, cap, force, replace)
        return
    needed = max(0, len(ids) - (replace is not None) + 1 - cap)
    if needed and not force:
        with pytest.raises(SessionLimit) as refusal:
            admit(sessions, cap, force, replace)
        assert [shown["id"] for shown in refusal.value.details["sessions"]] == ids
        return
    ended = admit(sessions, cap, force, replace)
    assert len(set(ended)) == len(ended) == needed + (replace is not None)
    assert set(ended) <= set(ids)
    evicted = [found for found in sessions if found.id in ended and found.id != replace]
    kept = [found for found in sessions if found.id not in ended]
    assert all(gone.last_active_at <= stays.last_active_at for gone in evicted for stays in kept)


def test_below_the_cap_nobody_has_to_go() -> None:
    assert admit([session(1), session(2)], 3, True, None) == ()
    assert admit([session(1), session(2)], 3, False, None) == ()


def test_at_the_cap_force_ends_the_least_recently_active() -> None:
    assert admit([session(1, NOW), session(2, NOW - 60), session(3, NOW - 30)], 3, True, None) == ("ses_2",)


def test_at_the_cap_without_force_the_refusal_lists_the_live_sessions() -> None:
    with pytest.raises(SessionLimit) as refusal:
        admit([session(1)], 1, False, None)
    assert refusal.value.status_code == 405
    assert refusal.value.body()["details"] == {"sessions": [describe(session(1))]}


def test_a_named_session_is_replaced_below_the_cap_too() -> None:
    assert admit([session(1), session(2)], 5, False, "ses_1") == ("ses_1",)


def test_a_named_session_makes_room_without_force() -> None:
    assert admit([session(1), session(2, NOW - 60)], 2, False, "ses_1") == ("ses_1",)


def test_a_session_that_is_not_live_cannot_be_replaced() -> None:
    with pytest.raises(SessionNotFound):
        admit([session(1)], 5, True, "ses_9")


def test_after_the_cap_was_lowered_several_sessions_go_the_named_one_first() -> None:
    four = [session(number, NOW - number) for number in range(4)]
    assert admit(four, 2, True, None) == ("ses_3", "ses_2", "ses_1")
    assert admit(four, 2, True, "ses_0") == ("ses_0", "ses_3", "ses_2")
    with pytest.raises(SessionLimit):
        admit(four, 2, False, "ses_0")


def test_the_public_form_of_a_session() -> None:
    assert describe(session(1, NOW + 0.25, Via.QR, "Firefox"), "ses_1") == {
        "id": "ses_1",
        "device": "laptop",
        "browser": "Firefox",
        "os": "Debian",
        "ip": "192.0.2.7",
        "createdAt": "2027-01-15T08:00:00.000Z",
        "lastActiveAt": "2027-01-15T08:00:00.250Z",
        "via": "qr",
        "current": True,
    }
    assert describe(session(1))["current"] is False


def test_a_session_is_a_web_session_by_its_browser_or_its_code() -> None:
    assert session(1, browser="Firefox").is_web
    assert session(1, via=Via.QR).is_web
    assert not session(1).is_web


def test_what_a_device_says_of_itself_is_shown_without_control_characters_and_not_at_length() -> None:
    shown = clip(Device("  my\x1b[2J \u202ephone\n", "b" * 300, "\ud800", "192.0.2.7"))
    assert shown == Device("my[2J phone", "b" * 128, "", "192.0.2.7")


def test_a_password_never_shows_in_a_repr() -> None:
    verifiers = Verifiers(b"", b"", b"", b"", b"")
    assert "hunter2" not in repr(Credentials("hunter2", b"", 1, verifiers))
