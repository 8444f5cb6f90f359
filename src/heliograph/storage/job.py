"""A transaction that was handed to a writer, and who waits for its result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from heliograph.storage.database import Cursor


class Job:
    """A function over a cursor.

    Attributes:
        result: what it gave.
        error: why nothing of it was written; `None` where it was.
    """

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Callable[[Cursor], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: Exception | None = None

    def resolve(self) -> None:
        """Tell the waiting caller, unless it has gone."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)
