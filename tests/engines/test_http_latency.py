"""The node's HTTP face answers at once on the event loop of the standard library as well."""

from __future__ import annotations

import time
from typing import Any


async def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_header(place: Any) -> None:
    """With Nagle's algorithm the body would wait for it, some 40 ms on Linux (RFC 1122, section 4.2.3.4)."""
    account = await place.register(place.name("ada"))
    took_ms = []
    for _ in range(20):
        began = time.perf_counter()
        await place.call("GET", "/profile", account)
        took_ms.append((time.perf_counter() - began) * 1000)
    assert sorted(took_ms)[3] < 30
