"""Word from one part of a node to another that something has changed."""

from __future__ import annotations

from collections.abc import Callable


class InProcessBus:
    """The adapter of `Bus` for one process. Made, used and forgotten on one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def publish(self, topic: str) -> None:
        """Tell all that listen to a topic."""
        for hear in tuple(self._listeners.get(topic, ())):
            hear()

    def listen(self, topic: str, hear: Callable[[], None]) -> Callable[[], None]:
        """Call `hear` at each word of that topic; what comes back ends it, and may be called again."""
        self._listeners.setdefault(topic, []).append(hear)

        def end() -> None:
            listeners = self._listeners.get(topic, [])
            if hear in listeners:
                listeners.remove(hear)
            if not listeners:
                self._listeners.pop(topic, None)

        return end
