"""The capacity model is arithmetic: what is twice as much takes twice as much."""

from __future__ import annotations

import sys
from dataclasses import replace
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
    event_us=50,
    sign_in_us=2000,
    sign_in_database_us=700,
    sign_in_contact_us=20,
    sign_in_contact_database_us=5,
    sign_in_online_us=50,
    idle_us=15_000,
    idle_database_us=1000,
    node_bytes=100 * 2**20,
    connection_bytes=4096,
    connection_contact_bytes=800,
    account_bytes=2000,
    contact_bytes=200,
)
NOTHING = Habits(sign_ins_a_day=0, registrations_a_day=0, profile_changes_a_day=0, profile_reads_a_day=0)


def test_needs_grow_with_the_number_of_users() -> None:
    one, ten = needs(1_000_000, COSTS, nodes=3), needs(10_000_000, COSTS, nodes=3)
    idle = 3 * COSTS.idle_us / 1e6
    assert ten.node_cores - idle == pytest.approx(10 * (one.node_cores - idle))
    assert ten.database_gib == pytest.approx(10 * one.database_gib)
    assert one.connections == 200_000


def test_the_busiest_hour_is_what_counts() -> None:
    need = needs(86_400, COSTS, replace(NOTHING, profile_reads_a_day=1, busiest=2), nodes=1)
    assert need.node_cores == pytest.approx((2 * COSTS.read_us + COSTS.idle_us) / 1e6)
    assert need.commits_a_second == 0


def test_nodes_that_do_nothing_take_something() -> None:
    need = needs(1000, COSTS, NOTHING, nodes=2)
    assert need.node_cores == pytest.approx(2 * COSTS.idle_us / 1e6)
    assert need.database_cores == pytest.approx(2 * COSTS.idle_database_us / 1e6)


def test_contacts_cost_whoever_comes_and_whoever_changes_a_profile() -> None:
    habits = replace(NOTHING, contacts=50, connected=0.2, sign_ins_a_day=1, profile_changes_a_day=1, busiest=1)
    need = needs(86_400, COSTS, habits, nodes=1)
    sign_in, change = 2000 + 50 * 20 + 10 * 50, 3000 + 10 * 50
    assert need.node_cores == pytest.approx((sign_in + change + COSTS.idle_us) / 1e6)
    apart = needs(86_400, COSTS, habits, nodes=2)  # of the contacts who are connected, each node sees half
    assert apart.node_cores == pytest.approx((sign_in - 250 + change - 250 + 2 * COSTS.idle_us) / 1e6)
