"""Registration in bulk, for an app's own backend."""

from __future__ import annotations

import asyncio
from collections import Counter

from msgspec import UNSET

from heliograph import wire
from heliograph.core import bulk, limits
from heliograph.errors import HeliographError
from heliograph.server import bodies
from heliograph.server.endpoints import Call, by_secret_key
from heliograph.server.routes.accounts import asked_for

AT_ONCE = 32
"""How many registrations of one call are under way at a time: enough to share commits, and to leave room for others."""


async def register(call: Call[wire.BulkRequest]) -> wire.BulkData:
    """`POST /users/bulk`: register up to 1,000 users, each with an outcome of its own; repeatable by
    `Idempotency-Key`.
    """
    users = call.body.users
    await bulk.admit(call.ports, call.caller, len(users))
    room, known = asyncio.Semaphore(AT_ONCE), set[str]()

    async def one(body: wire.RegisterRequest) -> wire.BulkResultBody:
        async with room:
            return await _register(call, body, known)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(body)) for body in users]
    results = tuple(task.result() for task in tasks)
    count = Counter(result.status for result in results)
    return wire.BulkData(
        registered=count["registered"], existing=count["existing"], failed=count["failed"], results=results
    )


async def _register(call: Call[wire.BulkRequest], body: wire.RegisterRequest, known: set[str]) -> wire.BulkResultBody:
    try:
        made = await bulk.register(call.ports, call.caller, asked_for(call, body), known)
    except HeliographError as error:
        details = dict(error.details) or UNSET
        told = wire.ErrorBody(status_code=error.status_code, message=error.message, code=error.code, details=details)
        return wire.BulkResultBody(user_identifier=body.user_identifier, status="failed", error=told)
    return wire.BulkResultBody(
        user_identifier=body.user_identifier,
        status="existing" if made.is_existing else "registered",
        data=bodies.credentials(made),
    )


ENDPOINTS = (by_secret_key("POST", "/users/bulk", wire.BulkRequest, register, limits.BULK_MAX_BYTES),)
