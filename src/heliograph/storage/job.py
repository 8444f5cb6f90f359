"""A transaction that was handed to a writer, and who waits for its result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from heliograph.storage.database import Cursor


class Job:
    """A function over a cursor.

    Attributes:
        meanwhile: see `database.Writer`.
        result: what it gave.
        error: why nothing of it was written; `None` where it was.
    """

    __slots__ = ("error", "future", "meanwhile", "result", "work")

    def __init__(
        self,
        work: Callable[[Cursor], Any],
        future: asyncio.Future[Any],
        meanwhile: Callable[[Any], None] | None = None,
    ) -> None:
        self.work = work
        self.future = future
        self.meanwhile = meanwhile
        self.result: Any = None
        self.error: Exception | None = None

    def prepare(self) -> None:
        """The commit is under way: whoever wants to make use of that time may."""
        if self.meanwhile is not None and self.error is None:
            self.meanwhile(self.result)

    def resolve(self) -> None:
        """Tell the waiting caller, unless it has gone."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)
