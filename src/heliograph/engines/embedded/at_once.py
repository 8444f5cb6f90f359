"""Coroutines that are run at once as far as they go without waiting. Most look-ups are answered without any wait, and a
task for each would cost more than they do: some ten microseconds, and a turn of the event loop.

What stands before the first wait is in no task then: `asyncio.timeout` cannot be entered there.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from heliograph.engines.embedded.router import Resource

T = TypeVar("T")


@dataclass(slots=True)
class Done(Generic[T]):
    """It has come to its end without waiting, with that result."""

    result: T


class Begun(Coroutine[Any, Any, T]):
    """A coroutine that waits already: to be awaited, or run as a task, like any other.

    Args:
        work: the coroutine.
        waits_for: what it waits for, as it has told whoever ran it: a future, or `None` for the next turn.
    """

    __slots__ = ("_is_told", "_waits_for", "_work")

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for
        self._is_told = False

    def send(self, value: Any) -> Any:
        """Go on; the first time, tell what it waits for."""
        if not self._is_told:
            self._is_told = True
            waits_for, self._waits_for = self._waits_for, None
            return waits_for
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where it waits, such as a cancellation."""
        self._is_told, self._waits_for = True, None
        return self._work.throw(*error)

    def close(self) -> None:
        """Give up."""
        self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self  # it has all that `await` asks of a generator

    def __iter__(self) -> Begun[T]:
        return self

    def __next__(self) -> Any:
        return self.send(None)


def begin(work: Coroutine[Any, Any, T]) -> Done[T] | Begun[T]:
    """Run a coroutine up to where it waits, or to its end; raises what it raises until then."""
    try:
        waits_for = work.send(None)
    except StopIteration as end:
        return Done(end.value)
    return Begun(work, waits_for)


def answered(sender: Resource, work: Coroutine[Any, Any, None]) -> Begun[None] | None:
    """Begin what a request of a resource asks for; it comes back where that waits. Counted, so that a client that asks
    for much at once can be told to wait for its turn.
    """
    sender.answered += 1
    begun = begin(work)
    return begun if isinstance(begun, Begun) else None
