"""What many connections have collected is written in turns: others are served in between, and nobody is forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

COUNT = 1000


class Collecting:
    """A connection that has collected something."""

    def __init__(self, written: list[Any], *, is_broken: bool = False) -> None:
        self._written = written
        self._is_broken = is_broken

    def flush(self) -> None:
        self._written.append(self)
        if self._is_broken:
            raise RuntimeError("broken")


async def until_written(written: list[Any], count: int) -> list[int]:
    """How many were written to, at each turn of the event loop."""
    turns = []
    async with asyncio.timeout(10):
        while len(written) < count:
            await asyncio.sleep(0)
            turns.append(len(written))
    return turns


async def test_others_have_their_turn_while_a_thousand_connections_are_written_to(place: Any) -> None:
    written: list[Any] = []
    waiting = [Collecting(written) for _ in range(COUNT)]
    for each in waiting:
        place.node.engine.flush_soon(each)
    turns = await until_written(written, COUNT)
    assert written == waiting
    assert max(after - before for before, after in zip([0, *turns], turns, strict=False)) <= COUNT / 4


async def test_a_write_that_fails_does_not_stand_in_the_way_of_those_behind_it(place: Any) -> None:
    written: list[Any] = []
    told: list[Any] = []
    broken, behind, later = Collecting(written, is_broken=True), Collecting(written), Collecting(written)
    loop = asyncio.get_running_loop()
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    try:
        place.node.engine.flush_soon(broken)
        place.node.engine.flush_soon(behind)
        await until_written(written, 2)
        place.node.engine.flush_soon(later)
        await until_written(written, 3)
    finally:
        loop.set_exception_handler(usual)
    assert written == [broken, behind, later]
    assert [str(error) for error in told] == ["broken"]
