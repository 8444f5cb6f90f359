"""Deadlines of one length, thousands at once: one timer of the event loop serves them all, where one each would be set
and cancelled again for every client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Things that have to be done with in time.

    Args:
        length_s: how long each has.
        late: called with one whose time is over, and which is not waited for any longer.
    """

    def __init__(self, length_s: float, late: Callable[[T], None]) -> None:
        self._length_s = length_s
        self._late = late
        self._ends: dict[T, float] = {}  # in the order in which they end
        self._is_set = False

    def add(self, each: T) -> None:
        """Wait for one from now on."""
        loop = asyncio.get_running_loop()
        self._ends[each] = loop.time() + self._length_s
        if not self._is_set:
            self._is_set = True
            loop.call_later(self._length_s, self._look)

    def discard(self, each: T) -> None:
        """One is done with, if it was waited for."""
        self._ends.pop(each, None)

    def _look(self) -> None:
        self._is_set = False
        loop = asyncio.get_running_loop()
        while self._ends:
            each, end = next(iter(self._ends.items()))
            if end > loop.time():
                self._is_set = True
                loop.call_at(end, self._look)
                return
            del self._ends[each]
            self._late(each)
