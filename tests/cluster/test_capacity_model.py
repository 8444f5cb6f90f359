"""The capacity model is arithmetic: what is twice as much takes twice as much."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from capacity import Costs, Habits, needs

COSTS = Costs(
    register_us=3000,
    register_database_us=1000,
    read_us=1000,
    read_database_us=400,
    change_us=3000,
    change_database_us=1500,
    sign_in_us=3000,
    sign_in_database_us=1300,
    connection_bytes=20_480,
    account_bytes=2000,
    contact_bytes=200,
)


def test_needs_grow_with_the_number_of_users() -> None:
    one, ten = needs(1_000_000, COSTS), needs(10_000_000, COSTS)
    assert ten.node_cores == pytest.approx(10 * one.node_cores)
    assert ten.database_gib == pytest.approx(10 * one.database_gib)
    assert one.connections == 200_000


def test_the_busiest_hour_is_what_counts() -> None:
    habits = Habits(sign_ins_a_day=0, registrations_a_day=0, profile_changes_a_day=0, profile_reads_a_day=1, busiest=2)
    need = needs(86_400, COSTS, habits)
    assert need.node_cores == pytest.approx(2 * 1000 / 1e6)
    assert need.commits_a_second == 0
