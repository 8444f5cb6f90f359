"""The connection's states: every trigger in every state."""

from __future__ import annotations

import pytest

from heliograph.sdk.states import FINAL, TRANSITIONS, ConnectionStatus, Trigger, next_status

S = ConnectionStatus

# One row a state, one column a trigger; "." changes nothing.
TABLE = """
                      connect     bound      timed_out          unreachable       refused               lost          failed        retry         session_ended  close
DISCONNECTED          CONNECTING  .          .                  .                 .                     .             .             RECONNECTING  LOGOUT         .
CONNECTING            .           CONNECTED  CONNECTIONTIMEOUT  CONNECTIONFAILED  AUTHENTICATIONFAILED  .             ERROROCCURED  .             LOGOUT         DISCONNECTED
CONNECTED             .           .          .                  .                 .                     DISCONNECTED  ERROROCCURED  .             LOGOUT         DISCONNECTED
RECONNECTING          CONNECTING  CONNECTED  CONNECTIONTIMEOUT  CONNECTIONFAILED  AUTHENTICATIONFAILED  .             ERROROCCURED  .             LOGOUT         DISCONNECTED
CONNECTIONTIMEOUT     CONNECTING  .          .                  .                 .                     .             .             RECONNECTING  LOGOUT         DISCONNECTED
CONNECTIONFAILED      CONNECTING  .          .                  .                 .                     .             .             RECONNECTING  LOGOUT         DISCONNECTED
ERROROCCURED          CONNECTING  .          .                  .                 .                     .             .             RECONNECTING  LOGOUT         DISCONNECTED
AUTHENTICATIONFAILED  CONNECTING  .          .                  .                 .                     .             .             .             .              .
LOGOUT                CONNECTING  .          .                  .                 .                     .             .             .             .              .
"""  # noqa: E501 - a table


def _expected() -> dict[tuple[S, Trigger], S | None]:
    head, *rows = (line.split() for line in TABLE.strip().splitlines())
    return {
        (S(state), Trigger(trigger)): None if target == "." else S(target)
        for state, *targets in rows
        for trigger, target in zip(head, targets, strict=True)
    }


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("state", S)
def test_a_trigger_leads_from_a_state_where_the_table_says(state: S, trigger: Trigger) -> None:
    assert next_status(state, trigger) is _expected()[state, trigger]


def test_the_expected_table_has_every_state_and_trigger() -> None:
    assert _expected().keys() == {(state, trigger) for state in S for trigger in Trigger}


def test_every_state_can_be_reached_from_the_first() -> None:
    reached = {S.DISCONNECTED}
    while more := {target for (state, _), target in TRANSITIONS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(S)


def test_a_final_state_is_left_by_the_caller_alone() -> None:
    assert {trigger for (state, trigger) in TRANSITIONS if state in FINAL} == {Trigger.CONNECT}


def test_every_other_state_can_end_with_the_session() -> None:
    assert all(next_status(state, Trigger.SESSION_ENDED) is S.LOGOUT for state in set(S) - FINAL)
