"""Appendix A of RFC 6121, written down here a second time as its tables stand there."""

from __future__ import annotations

import pytest

from heliograph.xmpp.presence import Kind
from heliograph.xmpp.roster import APPROVED_REQUEST, TABLE, Direction, State, Step, advance, state_of

STATES = {
    "None": State.NONE,
    "None + Pending Out": State.NONE_OUT,
    "None + Pending In": State.NONE_IN,
    "None + Pending Out+In": State.NONE_OUT_IN,
    "To": State.TO,
    "To + Pending In": State.TO_IN,
    "From": State.FROM,
    "From + Pending Out": State.FROM_OUT,
    "Both": State.BOTH,
}

# existing state | is it routed or delivered? ("reply": swallowed, and answered with `subscribed`) | new state
APPENDIX_A = {
    (Direction.OUTBOUND, Kind.SUBSCRIBE): """
        None                  | yes | None + Pending Out
        None + Pending Out    | yes | no change
        None + Pending In     | yes | None + Pending Out+In
        None + Pending Out+In | yes | no change
        To                    | yes | no change
        To + Pending In       | yes | no change
        From                  | yes | From + Pending Out
        From + Pending Out    | yes | no change
        Both                  | yes | no change
    """,
    (Direction.OUTBOUND, Kind.UNSUBSCRIBE): """
        None                  | yes | no change
        None + Pending Out    | yes | None
        None + Pending In     | yes | no change
        None + Pending Out+In | yes | None + Pending In
        To                    | yes | None
        To + Pending In       | yes | None + Pending In
        From                  | yes | no change
        From + Pending Out    | yes | From
        Both                  | yes | From
    """,
    (Direction.OUTBOUND, Kind.SUBSCRIBED): """
        None                  | no  | no change
        None + Pending Out    | no  | no change
        None + Pending In     | yes | From
        None + Pending Out+In | yes | From + Pending Out
        To                    | no  | no change
        To + Pending In       | yes | Both
        From                  | no  | no change
        From + Pending Out    | no  | no change
        Both                  | no  | no change
    """,
    (Direction.OUTBOUND, Kind.UNSUBSCRIBED): """
        None                  | no  | no change
        None + Pending Out    | no  | no change
        None + Pending In     | yes | None
        None + Pending Out+In | yes | None + Pending Out
        To                    | no  | no change
        To + Pending In       | yes | To
        From                  | yes | None
        From + Pending Out    | yes | None + Pending Out
        Both                  | yes | To
    """,
    (Direction.INBOUND, Kind.SUBSCRIBE): """
        None                  | yes   | None + Pending In
        None + Pending Out    | yes   | None + Pending Out+In
        None + Pending In     | no    | no change
        None + Pending Out+In | no    | no change
        To                    | yes   | To + Pending In
        To + Pending In       | no    | no change
        From                  | reply | no change
        From + Pending Out    | reply | no change
        Both                  | reply | no change
    """,
    (Direction.INBOUND, Kind.UNSUBSCRIBE): """
        None                  | no  | no change
        None + Pending Out    | no  | no change
        None + Pending In     | yes | None
        None + Pending Out+In | yes | None + Pending Out
        To                    | no  | no change
        To + Pending In       | yes | To
        From                  | yes | None
        From + Pending Out    | yes | None + Pending Out
        Both                  | yes | To
    """,
    (Direction.INBOUND, Kind.SUBSCRIBED): """
        None                  | no  | no change
        None + Pending Out    | yes | To
        None + Pending In     | no  | no change
        None + Pending Out+In | yes | To + Pending In
        To                    | no  | no change
        To + Pending In       | no  | no change
        From                  | no  | no change
        From + Pending Out    | yes | Both
        Both                  | no  | no change
    """,
    (Direction.INBOUND, Kind.UNSUBSCRIBED): """
        None                  | no  | no change
        None + Pending Out    | yes | None
        None + Pending In     | no  | no change
        None + Pending Out+In | yes | None + Pending In
        To                    | yes | None
        To + Pending In       | yes | None + Pending In
        From                  | no  | no change
        From + Pending Out    | yes | From
        Both                  | yes | From
    """,
}

CASES = [
    (direction, kind, *(cell.strip() for cell in line.split("|")))
    for (direction, kind), rows in APPENDIX_A.items()
    for line in rows.strip().splitlines()
]


def test_the_expectations_cover_every_state_and_event() -> None:
    assert set(TABLE) == set(APPENDIX_A)
    assert len(CASES) == len(TABLE) * len(State) == 72


@pytest.mark.parametrize(("direction", "kind", "existing", "passes", "new"), CASES)
def test_every_state_and_event_is_as_in_appendix_a(
    direction: Direction, kind: Kind, existing: str, passes: str, new: str
) -> None:
    step = advance(direction, kind, STATES[existing])
    assert step.state is STATES[existing if new == "no change" else new]
    assert step.is_passed is (passes == "yes")
    assert step.is_answered is (passes == "reply")


@pytest.mark.parametrize("state", State)
def test_approving_one_who_has_not_asked_and_is_not_subscribed_is_a_pre_approval(state: State) -> None:
    step = advance(Direction.OUTBOUND, Kind.SUBSCRIBED, state)
    assert step.is_approved is (state in (State.NONE, State.NONE_OUT, State.TO))


@pytest.mark.parametrize(
    ("state", "after"), [(State.NONE, State.FROM), (State.NONE_OUT, State.FROM_OUT), (State.TO, State.BOTH)]
)
def test_the_request_of_a_pre_approved_contact_is_answered_and_not_delivered(state: State, after: State) -> None:
    assert APPROVED_REQUEST[state] == advance(Direction.INBOUND, Kind.SUBSCRIBE, state, is_approved=True)
    assert advance(Direction.INBOUND, Kind.SUBSCRIBE, state, is_approved=True) == Step(after, is_answered=True)


@pytest.mark.parametrize("state", [State.NONE, State.NONE_OUT, State.TO])
def test_a_pre_approval_ends_with_unsubscribed_and_with_nothing_else(state: State) -> None:
    for direction, kind in TABLE:
        step = advance(direction, kind, state, is_approved=True)
        is_used = step.state.subscription in ("from", "both")
        is_ended = (direction, kind) == (Direction.OUTBOUND, Kind.UNSUBSCRIBED)
        assert step.is_approved is not (is_used or is_ended)


def test_the_state_of_an_item_ignores_requests_for_what_is_there() -> None:
    for state in State:
        assert state_of(state.subscription, state.is_pending_out, state.is_pending_in) is state
    assert state_of("both", True, True) is State.BOTH
    assert state_of("to", True, False) is State.TO
    assert state_of("from", False, True) is State.FROM
