"""A node whose XMPP server is a private ejabberd, as a `Place`."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ejabberd_clients import is_refused
from ejabberd_server import EjabberdServer, ejabberd_in
from heliograph.core import apps
from heliograph.core.apps import Policy, RegistrationPolicy
from heliograph.engines.ejabberd.engine import EjabberdEngine
from heliograph.node import open_ports, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S
from places import LIVE, SANDBOX, Place
from wires import Account

_QUESTIONS = 4
"""Ejabberd asks its two authentication programs in turn."""

_ANSWER_S = 10
"""How long such a program may take for one answer; while it starts, a question may be lost."""


@asynccontextmanager
async def running_on_ejabberd(
    folder: Path, *, components: Sequence[str] = (), **settings: Any
) -> AsyncIterator[tuple[Place, EjabberdServer]]:
    """A node with an app, and the ejabberd that serves its users, until the context is left."""
    policy = Policy(registration=RegistrationPolicy.OPEN, max_sessions=3, sandbox_max_users=10_000)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ejabberd_in(folder, LIVE))
        chosen = Settings(**{**server.settings, **settings})
        async with open_ports(chosen) as ports:
            app = await apps.create(ports, "Chat", LIVE, SANDBOX, policy)
        await server.configure(*(part for name in components for part in ("--component", name)))
        await server.start()
        node = await stack.enter_async_context(run_node(chosen))
        await reached(node.engine)
        tls = ssl.create_default_context(cafile=str(folder / "authority.pem"))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=node.public_url, timeout=PATIENCE_S))
        place = Place(node, app, http, tls, folder / "authority.pem")
        stack.callback(place.hang_up)
        await _programs_answer(place)
        yield place, server


async def _programs_answer(place: Place) -> None:
    """Wait until the authentication programs have started: a client that gives up meanwhile leaves a sign-in that has
    bound nothing, and the next ones of its user cannot be told from it for a while.
    """
    nobody = Account("nobody", "wrong", f"nobody@{SANDBOX}", "", "")
    answers = 0
    async with asyncio.timeout(PATIENCE_S):
        while answers < _QUESTIONS:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ANSWER_S):
                    assert await is_refused(place, nobody)
                answers += 1


async def reached(engine: Any) -> None:
    """Wait until ejabberd has let the node speak for its users, and answers for both of its domains."""
    assert isinstance(engine, EjabberdEngine)
    async with asyncio.timeout(PATIENCE_S):
        while not (engine.is_reachable and {LIVE, SANDBOX} <= engine.mirror.leads):  # noqa: ASYNC110 - tells nobody
            await asyncio.sleep(0.02)
