"""Deadlines of one length (`embedded/deadlines`)."""

from __future__ import annotations

import asyncio

from heliograph.engines.embedded.deadlines import Deadlines
from patience import PATIENCE_S


async def test_who_is_late_is_told_in_order_and_who_is_done_is_not() -> None:
    late: asyncio.Queue[str] = asyncio.Queue()
    deadlines: Deadlines[str] = Deadlines(0.01, late.put_nowait)
    for each in ("first", "done", "second"):
        deadlines.add(each)
    deadlines.discard("done")
    deadlines.discard("never added")
    async with asyncio.timeout(PATIENCE_S):
        assert [await late.get(), await late.get()] == ["first", "second"]
        deadlines.add("third")  # the timer is set anew
        assert await late.get() == "third"
    assert late.empty()
