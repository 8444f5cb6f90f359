"""The rate limiter: what a burst, a steady stream and a wait get, and who shares a limit with whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import rate_limits
from heliograph.core.apps import App, Caller, Environment
from heliograph.core.rate_limits import Rate, network, take

NOW = 1_800_000_000.0
APP = App("app_a", "A", "a.example", "sandbox.a.example", "{}", NOW)

rates = st.builds(Rate, per_minute=st.floats(1.0, 60_000.0), burst=st.integers(1, 200))


def grants(rate: Rate, times: list[float]) -> list[float]:
    """The times of the calls that go ahead."""
    arrival, granted = 0.0, []
    for now in times:
        verdict = take(arrival, rate, now)
        arrival = verdict.arrival
        if verdict.wait_s == 0.0:
            granted.append(now)
    return granted


@given(rates, st.lists(st.floats(0.0, 20.0), max_size=100))
def test_no_window_holds_more_than_the_burst_and_the_steady_rate(rate: Rate, gaps: list[float]) -> None:
    times = [NOW + sum(gaps[: i + 1]) for i in range(len(gaps))]
    granted = grants(rate, times)
    for i, start in enumerate(granted):
        for j in range(i, len(granted)):
            # One more than the ideal, for the rounding of times of this size.
            assert j - i + 1 <= rate.burst + (granted[j] - start) * rate.per_minute / 60.0 + 1


@given(rates)
def test_a_key_never_seen_gets_its_burst_at_once_and_no_more(rate: Rate) -> None:
    granted = len(grants(rate, [NOW] * (rate.burst + 5)))
    assert abs(granted - rate.burst) <= 1


@given(rates, st.integers(0, 300))
def test_who_waits_as_told_goes_ahead(rate: Rate, calls: int) -> None:
    arrival = 0.0
    for _ in range(calls):
        arrival = take(arrival, rate, NOW).arrival
    wait_s = take(arrival, rate, NOW).wait_s
    assert 0.0 <= wait_s <= 60.0 / rate.per_minute + 1e-3
    assert take(arrival, rate, NOW + wait_s).wait_s == 0.0


@given(rates, st.floats(NOW - 100.0, NOW + 1e6))
def test_a_refused_call_takes_nothing(rate: Rate, arrival: float) -> None:
    verdict = take(arrival, rate, NOW)
    assert (verdict.wait_s > 0.0) == (verdict.arrival == arrival)


@given(st.sampled_from([6.0, 60.0, 120.0, 600.0]), st.integers(1, 100))
def test_a_steady_stream_at_the_rate_is_never_refused(per_minute: float, burst: int) -> None:
    times = [NOW + i * 60.0 / per_minute for i in range(100)]
    assert len(grants(Rate(per_minute, burst), times)) == len(times)


def test_a_quota_counts_down_and_says_when_there_is_more() -> None:
    rate, arrival, left = Rate(per_minute=60, burst=3), 0.0, []
    for _ in range(4):
        verdict = rate_limits.take(arrival, rate, NOW)
        arrival = verdict.arrival
        left.append(rate_limits.quota(verdict, rate, NOW))
    assert [(quota.limit, quota.remaining) for quota in left] == [(3, 2), (3, 1), (3, 0), (3, 0)]
    assert [quota.reset_s for quota in left] == pytest.approx([1.0, 2.0, 3.0, 1.0])


def test_a_burst_of_the_backend_fits_a_thousand_users() -> None:
    assert len(grants(rate_limits.BACKEND_PER_APP, [NOW] * 1000)) == 1000


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_subscriber_counts_as_one_address(address: str, expected: str) -> None:
    assert network(address) == expected


def test_clients_are_limited_by_address_and_app_and_a_backend_by_its_own_rate() -> None:
    client = Caller(APP, Environment.LIVE, is_backend=False)
    backend = Caller(APP, Environment.LIVE, is_backend=True)
    assert [draw.rate for draw in rate_limits.for_register(client, "192.0.2.7")] == [
        rate_limits.REGISTER_PER_ADDRESS,
        rate_limits.REGISTER_PER_APP,
    ]
    assert [draw.rate for draw in rate_limits.for_register(backend, "192.0.2.7")] == [rate_limits.BACKEND_PER_APP]
    assert [draw.rate for draw in rate_limits.for_tokens(backend, "192.0.2.7")] == [rate_limits.BACKEND_PER_APP]


def test_live_and_sandbox_clients_do_not_use_up_each_others_rate() -> None:
    live, sandbox = (rate_limits.for_register(Caller(APP, environment, False), "") for environment in Environment)
    assert {draw.key for draw in live}.isdisjoint(draw.key for draw in sandbox)


def test_without_an_address_no_limit_by_address_applies() -> None:
    client = Caller(APP, Environment.LIVE, is_backend=False)
    assert len(rate_limits.for_register(client, "")) == 1
    assert rate_limits.for_tokens(client, "") == ()


def test_wrong_passwords_from_one_address_do_not_count_against_another() -> None:
    keys = [
        {draw.key for draw in rate_limits.for_failed_sign_in("bob@a.example", address)}
        for address in ("192.0.2.7", "192.0.2.8")
    ]
    assert keys[0].isdisjoint(keys[1])
