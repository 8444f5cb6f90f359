"""The number of files, and so of sockets, that the process may hold."""

from __future__ import annotations

import resource

OPEN_FILES_WANTED = 65_536
OPEN_FILES_ENOUGH = 12_000
"""What thousands of connections take; with less, a node says so when it starts."""


def raise_open_files_limit(wanted: int) -> int:
    """Raise the soft limit of open files as far as the system allows, at most to `wanted`; returns the limit now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
        return ceiling
    return wanted if soft == resource.RLIM_INFINITY else soft
