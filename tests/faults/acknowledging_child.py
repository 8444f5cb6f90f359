"""A process to be killed: it writes as fast as it can, and prints a JSON line for each write that was acknowledged.

python acknowledging_child.py DATABASE register|profiles
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from heliograph.core import opaque, tokens
from heliograph.core.accounts import Account, Registration, Standing
from heliograph.core.apps import App, Environment
from heliograph.core.profiles import Profile
from heliograph.core.sessions import Device, Session, Via, admit
from heliograph.storage import sqlite
from heliograph.storage.stores import Stores
from heliograph.system.chance import SystemIds
from heliograph.system.credentials import PreparedCredentials

CALLERS = 100
USERS = 5
NOW = 1_800_000_000.0
APP = App("app_1", "Chat", "chat.example", "sandbox.chat.example", "{}", NOW)


def acknowledge(**facts: object) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - the parent reads it


async def register(stores: Stores, credentials: PreparedCredentials, identifier: str) -> None:
    """A new user, or a further session of one that is there."""
    ids, jid = SystemIds(), f"{identifier}@{APP.domain}"
    salt = hashlib.sha256(jid.encode()).digest()[:16]
    made = await credentials.under(salt, 1)
    session_id = opaque.encode("ses_", ids.random(16))
    pair, records = tokens.new_pair(ids, session_id, NOW)
    draft = Account(0, APP.id, Environment.LIVE, identifier, jid, salt, 1, {}, False, NOW, None)

    def decide(standing: Standing) -> Registration:
        account = standing.account or draft
        session = Session(session_id, account.id, Via.REGISTER, Device(), NOW, NOW)
        ended = admit(standing.sessions, 100, force=True, replace_session=None)
        return Registration(account, session, made.verifiers, records, ended)

    await stores.accounts.register(jid, decide)
    acknowledge(jid=jid, session=session_id, password=made.password, tokens=[pair.access_token, pair.refresh_token])


async def registering(stores: Stores, credentials: PreparedCredentials, numbers: Iterator[int]) -> None:
    """New users and, with every third registration, a further session of one of a few."""
    for number in numbers:
        await register(stores, credentials, f"user-{number if number % 3 else number % USERS}")


async def changing_profiles(stores: Stores, _: PreparedCredentials, numbers: Iterator[int]) -> None:
    for number in numbers:

        def rename(profile: Profile, number: int = number) -> Profile:
            return replace(profile, version=profile.version + 1, name=f"name {number}")

        stored = await stores.profiles.update(f"user-{number % USERS}@{APP.domain}", rename)
        acknowledge(jid=stored.jid, version=stored.version, name=stored.name)


async def main(database: Path, what: str) -> None:
    work = {"register": registering, "profiles": changing_profiles}[what]
    numbers = count(USERS)
    with PreparedCredentials(SystemIds().random, stock=0) as credentials:
        async with sqlite.open(database) as stores:
            await stores.apps.add(APP, [])
            for number in range(USERS):
                await register(stores, credentials, f"user-{number}")
            async with asyncio.TaskGroup() as tasks:
                for _ in range(CALLERS):
                    tasks.create_task(work(stores, credentials, numbers))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
