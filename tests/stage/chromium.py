"""How the tests run Chromium."""

from __future__ import annotations

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""It runs as root, without a window, and calls nobody by itself."""
