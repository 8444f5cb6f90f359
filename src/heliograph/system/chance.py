"""The machine's source of random bytes."""

from __future__ import annotations

import os


class SystemIds:
    """The adapter of `Ids` over the operating system's generator."""

    def random(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        return os.urandom(size)
