"""How a command runs: on an event loop, with settings, until it ends or is stopped."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from heliograph.core.apps import App, Caller, Environment
from heliograph.core.ports import Ports
from heliograph.errors import AppInvalid, HeliographError
from heliograph.settings import Settings

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command; an error that has a code is told in one line, and ends with exit status 1."""
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(work)
    except HeliographError as error:
        refuse(error)


def refuse(error: HeliographError) -> NoReturn:
    """Tell an error in one line, and end with exit status 1."""
    print(f"{error.code}: {error.message}", file=sys.stderr)
    raise typer.Exit(1) from None


def loop_factory() -> Any:
    """Uvloop's event loop where it is installed (the extra `fast`), else the standard one."""
    try:
        import uvloop  # noqa: PLC0415 - an optional extra
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def stop_signal() -> asyncio.Event:
    """Set by SIGINT and SIGTERM from now on."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def settings_of(config: Path | None) -> Settings:
    """The settings of this process; a setting that is wrong ends it with exit status 1."""
    try:
        return Settings.load(config)
    except HeliographError as error:
        refuse(error)


async def app_of(ports: Ports, app_id: str) -> App:
    """The app of an id.

    Raises:
        AppInvalid: there is none.
    """
    app = await ports.apps.lookup(app_id)
    if app is None:
        raise AppInvalid("There is no such app", details={"field": "id"})
    return app


def environment_of(in_sandbox: bool) -> Environment:
    """What `--sandbox` says."""
    return Environment.SANDBOX if in_sandbox else Environment.LIVE


async def backend_of(ports: Ports, app_id: str, *, in_sandbox: bool) -> Caller:
    """The app's own backend, for which an operator acts.

    Raises:
        AppInvalid: there is no such app.
    """
    return Caller(await app_of(ports, app_id), environment_of(in_sandbox), is_backend=True)
