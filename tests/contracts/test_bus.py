"""The contract of `Bus`, over every adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from heliograph.bus import redis
from heliograph.bus.in_process import InProcessBus
from heliograph.core.ports import Bus


@pytest.fixture(params=["in_process", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "in_process":
        yield InProcessBus()
        return
    async with redis.connect(request.getfixturevalue("redis_url")) as shared:
        yield shared.bus


async def test_all_that_listen_to_a_topic_hear_of_it(bus: Bus) -> None:
    heard: list[str] = []
    bus.listen("a", lambda: heard.append("first"))
    bus.listen("a", lambda: heard.append("second"))
    bus.listen("b", lambda: heard.append("other"))
    bus.publish("a")
    assert sorted(heard) == ["first", "second"]


async def test_who_has_ended_hears_no_more_and_the_others_do(bus: Bus) -> None:
    heard: list[str] = []
    end = bus.listen("a", lambda: heard.append("first"))
    bus.listen("a", lambda: heard.append("second"))
    end()
    end()
    bus.publish("a")
    assert heard == ["second"]


async def test_who_hears_may_end_or_begin_at_once(bus: Bus) -> None:
    heard: list[str] = []

    def hear() -> None:
        heard.append("once")
        end()
        bus.listen("a", lambda: heard.append("later"))

    end = bus.listen("a", hear)
    bus.publish("a")
    assert heard == ["once"]
    bus.publish("a")
    assert heard == ["once", "later"]


async def test_a_topic_that_nobody_listens_to_is_of_no_harm(bus: Bus) -> None:
    bus.publish("nobody")
