"""When to try again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.sdk.reconnect import ReconnectPolicy, backoff_s

POLICY = ReconnectPolicy(backoff_base_s=1.0, backoff_max_s=60.0)


@pytest.mark.parametrize(
    ("attempt", "longest_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (10**9, 60)]
)
def test_the_longest_wait_doubles_up_to_a_bound(attempt: int, longest_s: float) -> None:
    assert backoff_s(POLICY, attempt, 1.0) == longest_s


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_a_wait_is_any_part_of_the_longest(attempt: int, random: float) -> None:
    assert backoff_s(POLICY, attempt, random) == pytest.approx(random * backoff_s(POLICY, attempt, 1.0))


def test_chance_alone_tells_clients_apart_that_were_lost_together() -> None:
    waits = [backoff_s(POLICY, 5, step / 100) for step in range(100)]
    assert len(set(waits)) == 100
    assert waits[0] == 0.0
