"""The program that ejabberd asks who may sign in. It loads no more than it needs, as ejabberd starts several of it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from heliograph.cli.options import ConfigFile
from heliograph.cli.running import settings_of
from heliograph.core.remote_server import PasswordPorts
from heliograph.database import open_stores
from heliograph.engines.ejabberd.auth_program import AuthProgram
from heliograph.settings import Settings
from heliograph.system.logs import configure_logs


def auth(config: ConfigFile = None) -> None:
    """Answer ejabberd's questions who may sign in, on standard input and output. ejabberd starts it.

    Each device session has a password of its own; of blocked users and of sessions that have ended, none is right.
    """
    settings = settings_of(config)
    configure_logs(settings.log_level, settings.log_format)
    asyncio.run(_answer(settings))


async def _answer(settings: Settings) -> None:
    @asynccontextmanager
    async def open_ports() -> AsyncIterator[PasswordPorts]:
        async with open_stores(settings) as stores:
            yield PasswordPorts(stores.accounts, stores.sessions, stores.remote_server)

    questions = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    await AuthProgram(open_ports, time.time).run(questions, partial(os.write, sys.stdout.fileno()))
