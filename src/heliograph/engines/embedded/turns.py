"""Shares each turn of the event loop among the clients from which bytes have come.

A turn reads from every socket that has something. Were all of it handled at once, a turn would take as long as all
clients together can make it, and whoever needs a few turns, such as a user who ends a session, would wait for a
multiple of that. So a turn has a bound. Clients for whom it has no time stand in line: each gets a slice, then goes to
its end, so that nobody is served twice before all others were served once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

TURN_S = 0.002
"""How long bytes may be handled before the event loop goes on."""
SLICE_BYTES = 8 * 1024
"""How many bytes of one client are handled before others have their turn."""


class Client(Protocol):
    """One who may stand in line."""

    def serve(self) -> bool:
        """Handle a slice of what has come; whether to stand in line for more."""
        ...


class Turns:
    """The turns of one event loop, and the line.

    Args:
        clock: seconds, going on within a turn.
        call_soon: runs a function in the next turn.
    """

    def __init__(self, clock: Callable[[], float], call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._clock = clock
        self._call_soon = call_soon
        self._line: deque[Client] = deque()
        self._ends = 0.0
        self._is_counting = False

    def has_time(self) -> bool:
        """Whether a client from which bytes have come just now, and who is not in line, may be served at once."""
        if self._is_counting:
            return self._clock() < self._ends
        self._begin()
        return True

    def join(self, client: Client) -> None:
        """Put a client at the end of the line."""
        self._line.append(client)
        if not self._is_counting:
            self._begin()

    def _begin(self) -> None:
        self._is_counting = True
        self._ends = self._clock() + TURN_S
        self._call_soon(self._next)

    def _next(self) -> None:
        """A new turn: first those in line. What they leave of it is for those from whom bytes come in it."""
        line = self._line
        if not line:
            self._is_counting = False
            return
        self._begin()
        while line and self._clock() < self._ends:
            client = line.popleft()
            if client.serve():
                line.append(client)
