"""The transition table of QR sign-in, every state and every event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heliograph.core.apps import Environment
from heliograph.core.qr_login import FINAL, TABLE, Approval, Event, QrLink, State, fail, failure_of, step
from heliograph.core.sessions import Device
from heliograph.errors import (
    AccessDenied,
    AlreadyUsed,
    CheckCodeMismatch,
    ExpiredToken,
    HeliographError,
    KeyMismatch,
)

NOW = 1_800_000_000.0
CODES = {
    "expired_token",
    "access_denied",
    "slow_down",
    "authorization_pending",
    "check_code_mismatch",
    "key_mismatch",
    "already_used",
}


def link(state: State = State.WAITING) -> QrLink:
    return QrLink(
        id="lnk_1",
        app_id="app_1",
        environment=Environment.SANDBOX,
        public_key="{}",
        key_hash="thumbprint",
        device=Device(),
        resume_hash=b"",
        holder="socket",
        created_at=NOW,
        refresh_at=NOW + 25,
        expires_at=NOW + 100,
        state=state,
        approval=Approval("42", 3, force=True, replace_session=None),
        sealed="jwe",
    )


def leads_to(target: State) -> set[State]:
    return {state for state, row in TABLE.items() if target in row.values() and state is not target}


def test_the_table_is_complete() -> None:
    assert TABLE.keys() == set(State)
    for state, row in TABLE.items():
        assert row.keys() == set(Event), state


@pytest.mark.parametrize("state", State)
def test_an_event_leads_where_the_table_says_or_is_refused_with_its_code(state: State) -> None:
    for event in Event:
        outcome = TABLE[state][event]
        if isinstance(outcome, State):
            assert step(link(state), event, NOW).state is outcome
        else:
            assert outcome.row.code in CODES
            with pytest.raises(HeliographError) as refusal:
                step(link(state), event, NOW)
            assert type(refusal.value) is outcome


def test_there_is_one_way_to_a_delivery() -> None:
    assert leads_to(State.DELIVERED) == {State.VERIFIED}
    assert leads_to(State.VERIFIED) == {State.APPROVED}
    assert leads_to(State.APPROVED) == {State.SCANNED}
    assert leads_to(State.SCANNED) == {State.WAITING}
    assert leads_to(State.WAITING) == set()


@pytest.mark.parametrize("state", FINAL)
def test_nothing_happens_to_a_link_that_is_over(state: State) -> None:
    assert not any(isinstance(outcome, State) for outcome in TABLE[state].values())


@pytest.mark.parametrize("state", set(State) - FINAL)
def test_each_live_state_can_expire_fail_and_be_cancelled(state: State) -> None:
    assert step(link(state), Event.EXPIRE, NOW).state is State.EXPIRED
    assert step(link(state), Event.CANCEL, NOW).state is State.CANCELLED
    assert fail(link(state), KeyMismatch, NOW).failure == "key_mismatch"


@pytest.mark.parametrize("state", set(State) - FINAL)
def test_when_a_states_time_is_over_only_expiry_is_left(state: State) -> None:
    for event in set(Event) - {Event.EXPIRE}:
        with pytest.raises(ExpiredToken):
            step(link(state), event, NOW + 100)


@pytest.mark.parametrize("event", [Event.CANCEL, Event.EXPIRE, Event.FAIL, Event.DELIVER])
def test_a_link_that_is_over_keeps_neither_check_code_nor_credential(event: Event) -> None:
    over = step(link(State.VERIFIED), event, NOW)
    assert over.approval is None
    assert over.sealed is None


def test_a_new_state_has_its_own_time_and_trying_again_does_not_lengthen_it() -> None:
    scanned = step(link(), Event.SCAN, NOW)
    assert scanned.expires_at == NOW + 120
    approved = step(scanned, Event.APPROVE, NOW + 60)
    assert approved.expires_at == NOW + 180
    assert step(approved, Event.MISTYPE, NOW + 90).expires_at == NOW + 180


def test_a_failed_link_tells_its_own_reason() -> None:
    failed = fail(link(State.APPROVED), CheckCodeMismatch, NOW)
    with pytest.raises(CheckCodeMismatch):
        step(failed, Event.VERIFY, NOW)
    assert isinstance(failure_of(failed), CheckCodeMismatch)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.DENIED, AccessDenied),
        (State.EXPIRED, ExpiredToken),
        (State.CANCELLED, ExpiredToken),
        (State.DELIVERED, AlreadyUsed),
    ],
)
def test_why_a_link_came_to_nothing(state: State, reason: type[HeliographError]) -> None:
    assert type(failure_of(replace(link(), state=state))) is reason


def test_secrets_are_in_no_representation() -> None:
    secret = replace(
        link(State.VERIFIED), approval=Approval("4711", 3, force=True, replace_session=None), sealed="jwe!"
    )
    assert "4711" not in repr(secret)
    assert "jwe!" not in repr(secret)
