"""`python -m heliograph.cli`."""

from __future__ import annotations

import contextlib

from heliograph.cli import main

if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
