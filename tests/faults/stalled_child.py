"""A node's writer that stands still in the middle of a counted transaction, with the line of all nodes in hand.

python stalled_child.py DATABASE_URL
"""

from __future__ import annotations

import asyncio
import sys
import time

from heliograph.storage.database import Cursor
from heliograph.storage.postgres.writer import PostgresWriter


def stand_still(cursor: Cursor) -> None:
    """Begin, and be stopped."""
    cursor.execute("SELECT 1").fetchone()
    print("in the line", flush=True)  # noqa: T201 - the parent reads it
    time.sleep(600)


async def main() -> None:
    """One write."""
    async with PostgresWriter(sys.argv[1], 2) as writer:
        await writer.write(stand_still, is_in_line=True)


asyncio.run(main())
