"""The machine's time."""

from __future__ import annotations

import time


class SystemClock:
    """The adapter of `Clock` over the machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()
