"""A running node for tests that are not asynchronous, such as hypothesis state machines: it lives on a loop of its own,
which turns whenever the test waits for something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from places import Place, running

Value = TypeVar("Value")


def play(machine: type[RuleBasedStateMachine], hall: Hall) -> None:
    """Let a machine with an attribute `hall` run: stories of up to 20 steps, as many as the profile has examples."""
    chosen = settings(settings(), stateful_step_count=20)
    run_state_machine_as_test(type(machine.__name__, (machine,), {"hall": hall}), settings=chosen)


class Hall:
    """A node and its loop."""

    def __init__(self, runner: asyncio.Runner, place: Place) -> None:
        self._runner = runner
        self.place = place

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Run a coroutine to its end, and the node meanwhile."""
        return self._runner.run(work)


@contextmanager
def open_hall(data_dir: Path, **settings: Any) -> Iterator[Hall]:
    """Run a node until the context is left. One task enters and leaves it, since it holds a task group."""
    with asyncio.Runner() as runner:
        opened: asyncio.Future[Place] = runner.get_loop().create_future()
        closing = asyncio.Event()

        async def hold() -> None:
            async with running(data_dir, **settings) as place:
                opened.set_result(place)
                await closing.wait()

        async def begin() -> tuple[asyncio.Task[None], Place]:
            task = asyncio.create_task(hold())
            await asyncio.wait((task, opened), return_when=asyncio.FIRST_COMPLETED)
            return task, await opened

        async def finish(task: asyncio.Task[None]) -> None:
            closing.set()
            await task

        task, place = runner.run(begin())
        try:
            yield Hall(runner, place)
        finally:
            runner.run(finish(task))
