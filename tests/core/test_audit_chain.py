"""The chain of the audit trail, and which events a change makes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import audit
from heliograph.core.account_changes import AccountChange
from heliograph.core.accounts import Account
from heliograph.core.apps import Environment
from heliograph.core.audit import Entry, Event, Head, Kind, Owner
from heliograph.core.profiles import Profile, Visibility
from heliograph.core.qr_login import Approval, QrLink, State
from heliograph.core.sessions import Device, EndReason

NOW = 1_800_000_000.0
OWNER = Owner("app_1", Environment.LIVE, "ada@chat.example")
ADA = Account(1, "app_1", Environment.LIVE, "ada", "ada@chat.example", b"salt", 4096, {}, False, NOW, None)


def chain(length: int) -> list[Entry]:
    head, entries = audit.EMPTY, []
    for number in range(length):
        entry = audit.seal(head, Event(Kind.SESSION_ENDED, OWNER, NOW + number, f"ses_{number}", {"reason": "logout"}))
        head = Head(entry.number, entry.hash)
        entries.append(entry)
    return entries


def test_a_whole_chain_has_no_break() -> None:
    assert audit.find_break(chain(5), audit.EMPTY) is None
    assert audit.find_break([], audit.EMPTY) is None


@pytest.mark.parametrize(
    "change",
    [
        {"kind": Kind.SESSION_CREATED},
        {"at": NOW},
        {"session_id": "ses_x"},
        {"facts": {"reason": "evicted"}},
        {"facts": {}},
        {"owner": replace(OWNER, jid="bob@chat.example")},
        {"owner": replace(OWNER, environment=Environment.SANDBOX)},
    ],
)
def test_an_edited_entry_shows(change: dict[str, object]) -> None:
    entries = chain(5)
    entries[2] = replace(entries[2], event=replace(entries[2].event, **change))  # type: ignore[arg-type]
    assert "entry 3 was changed" in str(audit.find_break(entries, audit.EMPTY))


def test_a_removed_entry_shows() -> None:
    entries = chain(5)
    del entries[2]
    assert "entry 3 is missing" in str(audit.find_break(entries, audit.EMPTY))


def test_a_removed_entry_shows_also_where_the_others_were_numbered_anew() -> None:
    entries = chain(5)
    del entries[2]
    again = [replace(entry, number=number) for number, entry in enumerate(entries, 1)]
    assert "entry 3 was changed" in str(audit.find_break(again, audit.EMPTY))


@given(st.permutations(range(5)))
def test_any_other_order_shows(order: list[int]) -> None:
    entries = [chain(5)[place] for place in order]
    assert (audit.find_break(entries, audit.EMPTY) is None) == (order == [0, 1, 2, 3, 4])


def test_a_profile_tells_which_fields_and_not_what_they_hold() -> None:
    before = Profile("ada@chat.example", 1, name="Ada")
    after = replace(before, version=2, email="ada@example.org", visibility={"email": Visibility.NOBODY}, updated_at=NOW)
    event = audit.of_profile(OWNER, before, after)
    assert event.facts == {"version": 2, "changed": ["email", "visibility"]}


def link(state: State, **changes: object) -> QrLink:
    made = QrLink(
        "lnk_1", "app_1", Environment.LIVE, "{}", "hash", Device(ip="192.0.2.1"), b"", "socket", NOW, NOW, NOW
    )
    return replace(made, state=state, changed_at=NOW + 1, **changes)  # type: ignore[arg-type]


def test_every_step_of_qr_sign_in_is_told_and_a_new_code_is_none() -> None:
    for before, after in pairwise(State):
        [event] = audit.of_qr_link(link(before), link(after))
        assert event.kind.value == f"qr.{after.value}"
        assert event.facts == {"linkId": "lnk_1"}
    [begun] = audit.of_qr_link(None, link(State.WAITING))
    assert (begun.kind, begun.facts["ip"]) == (Kind.QR_REQUESTED, "192.0.2.1")
    assert audit.of_qr_link(link(State.WAITING), link(State.WAITING, codes_issued=2)) == []
    [resumed] = audit.of_qr_link(link(State.SCANNED), link(State.SCANNED, holder="other"))
    assert resumed.kind is Kind.QR_RESUMED


def test_a_wrong_check_code_and_a_failure_are_told_without_the_code() -> None:
    asked, again = Approval("07", 3, True, None), Approval("07", 2, True, None)
    [wrong] = audit.of_qr_link(link(State.APPROVED, approval=asked), link(State.APPROVED, approval=again))
    [failed] = audit.of_qr_link(link(State.APPROVED), link(State.FAILED, failure="check_code_mismatch"))
    assert wrong.kind is Kind.QR_CHECK_CODE_WRONG
    assert "07" not in str(wrong.facts)
    assert failed.facts["code"] == "check_code_mismatch"


def test_a_deletion_ends_the_sessions_first() -> None:
    events = audit.of_deletion(ADA, ["ses_1", "ses_2"], EndReason.EXPIRED, NOW)
    assert [event.kind for event in events] == [Kind.SESSION_ENDED, Kind.SESSION_ENDED, Kind.USER_DELETED]


def test_the_end_of_a_grace_period_is_no_second_deletion() -> None:
    events = audit.of_deletion(replace(ADA, deleted_at=NOW, purge_at=NOW + 9), [], EndReason.ACCOUNT_DELETED, NOW + 9)
    assert [event.kind for event in events] == [Kind.USER_PURGED]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({}, {}, []),
        ({}, {"is_blocked": True}, [Kind.USER_BLOCKED]),
        ({"is_blocked": True}, {}, [Kind.USER_UNBLOCKED]),
        ({}, {"deleted_at": NOW, "purge_at": NOW}, [Kind.USER_DELETED]),
        ({"deleted_at": NOW, "purge_at": NOW}, {}, [Kind.USER_RESTORED]),
        ({}, {"metadata": {"plan": "secret"}, "max_sessions": 2}, [Kind.USER_CHANGED]),
    ],
)
def test_a_change_of_an_account_is_told_by_what_changed_and_not_by_what_it_holds(
    before: dict[str, object], after: dict[str, object], kinds: list[Kind]
) -> None:
    changed = AccountChange(replace(ADA, **after), EndReason.ACCOUNT_DELETED)  # type: ignore[arg-type]
    events = audit.of_account(replace(ADA, **before), changed, NOW)  # type: ignore[arg-type]
    assert [event.kind for event in events] == kinds
    assert "secret" not in str(events)
    assert all(
        event.facts["changed"] == ["metaData", "maxSessions"] for event in events if kinds == [Kind.USER_CHANGED]
    )
