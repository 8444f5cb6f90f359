"""Bringing events to listeners and iterators. Whoever emits never waits: each receiver has a bounded queue of its own,
whose oldest events make room.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Self, cast
from weakref import WeakSet

from heliograph.errors import RequestInvalid
from heliograph.sdk import callbacks
from heliograph.sdk.events import LISTENER_EVENTS, Event, Listener, Listeners

QUEUE_MAX_EVENTS = 10_000
_DRAIN_TIMEOUT_S = 5.0
_log = logging.getLogger("heliograph.sdk")


class EventIterator:
    """The events from now on: `async for event in sdk.events()`. It ends when the SDK is closed.

    Args:
        max_events: how many events may wait here; at one more the oldest is dropped.

    Attributes:
        dropped: how many events were dropped because they were not fetched in time.
    """

    def __init__(self, max_events: int = QUEUE_MAX_EVENTS) -> None:
        self.dropped = 0
        self._events: deque[Event] = deque()
        self._max_events = max_events
        self._is_closed = False
        self._changed = asyncio.Event()

    def put(self, event: Event) -> None:
        """Append an event."""
        if self._is_closed:
            return
        if len(self._events) >= self._max_events:
            self._events.popleft()
            self.dropped += 1
        self._events.append(event)
        self._changed.set()

    def close(self) -> None:
        """End the iteration once what waits here is fetched."""
        self._is_closed = True
        self._changed.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._is_closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._events.popleft()


class Dispatcher:
    """Calls the listeners, one event after the other, and feeds the iterators.

    Args:
        listeners: by name, checked.
    """

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = {LISTENER_EVENTS[name]: listener for name, listener in _items(listeners)}
        self._iterators: WeakSet[EventIterator] = WeakSet()
        self._queue = EventIterator()
        self._reported_dropped = 0
        self._task = asyncio.create_task(self._run(), name="heliograph listeners")

    def emit(self, event: Event) -> None:
        """Tell everyone."""
        for iterator in self._iterators:
            iterator.put(event)
        if type(event) in self._listeners:
            self._queue.put(event)

    def iterate(self, max_events: int = QUEUE_MAX_EVENTS) -> EventIterator:
        """A new iterator; one that is no longer referred to is forgotten."""
        iterator = EventIterator(max_events)
        self._iterators.add(iterator)
        return iterator

    async def close(self) -> None:
        """Let the listeners hear what is already said, then end. A listener itself may call this."""
        self._queue.close()
        for iterator in self._iterators:
            iterator.close()
        if asyncio.current_task() is self._task:
            return
        _, unfinished = await asyncio.wait((self._task,), timeout=_DRAIN_TIMEOUT_S)
        for task in unfinished:
            task.cancel()
            await asyncio.wait((task,))

    async def _run(self) -> None:
        async for event in self._queue:
            if self._queue.dropped > self._reported_dropped:
                self._reported_dropped = self._queue.dropped
                _log.warning("listeners are too slow: %d events dropped so far", self._reported_dropped)
            await _call(self._listeners[type(event)], event)


def check_listeners(listeners: Listeners) -> None:
    """See whether all names are names of listeners.

    Raises:
        RequestInvalid: one is not, or what stands under it cannot be called.
    """
    for name, listener in _items(listeners):
        if name not in LISTENER_EVENTS or not callable(listener):
            raise RequestInvalid(f"There is no listener {name!r}", details={"field": name})


def _items(listeners: Listeners) -> Iterable[tuple[str, Listener]]:
    return cast("Mapping[str, Listener]", listeners).items()


async def _call(listener: Listener, event: Event) -> None:
    try:
        await callbacks.call(listener, event)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        _log.exception("a listener was cancelled from within on %s", type(event).__name__)
    except Exception:  # noqa: BLE001 - it is the app's code: whatever it raises is the app's bug, not ours
        _log.exception("a listener raised on %s", type(event).__name__)
