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

AT_ONCE = 128
"""How many registrations of one call are under way at a time. They share a commit: a thousand wait for the disk eight
times. Where no passwords lie ready, others wait until those of so many are derived, some 60 ms on 2 cores.
"""


async def register(call: Call[wire.BulkRequest]) -> wire.BulkData:
    """`POST /users/bulk`: register up to 1,000 users, each with an outcome of its own; repeatable by
    `Idempotency-Key`.
    """
    users = call.body.users
    await bulk.admit(call.ports, call.caller, len(users))
    waiting, known, found = iter(enumerate(users)), set[str](), dict[int, wire.BulkResultBody]()

    async def worker() -> None:
        for place, body in waiting:
            found[place] = await _register(call, body, known)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(users))):
            group.create_task(worker())
    results = tuple(found[place] for place in range(len(users)))
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
