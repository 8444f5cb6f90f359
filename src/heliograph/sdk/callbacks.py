"""Calling what an app has given: plain functions and coroutine functions alike."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar, cast

Given = ParamSpec("Given")
Outcome = TypeVar("Outcome")


async def call(
    callback: Callable[Given, Awaitable[Outcome] | Outcome], *args: Given.args, **kwargs: Given.kwargs
) -> Outcome:
    """What a callback returns, or what comes of the coroutine that it returns."""
    outcome = callback(*args, **kwargs)
    return cast("Outcome", await outcome if inspect.isawaitable(outcome) else outcome)
