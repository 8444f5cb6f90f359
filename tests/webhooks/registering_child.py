"""A process to be killed: it registers a user over a node's data, says so, and then does nothing more.

python registering_child.py DATA_DIR APP_ID
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from heliograph.core import accounts
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Environment
from heliograph.node import open_ports
from heliograph.settings import Settings


async def main(data_dir: Path, app_id: str) -> None:
    async with open_ports(Settings(data_dir=data_dir)) as ports:
        app = await ports.apps.lookup(app_id)
        assert app is not None
        made = await accounts.register(ports, Caller(app, Environment.SANDBOX, False), RegisterRequest("ada"))
        print(made.session.id, flush=True)  # noqa: T201 - the parent reads it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
