"""A node whose XMPP server is a private ejabberd, as a `Place`."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from ejabberd_clients import is_refused
from ejabberd_server import EjabberdServer, ejabberd_in
from heliograph.core import apps
from heliograph.core.apps import NewApp, Policy, RegistrationPolicy
from heliograph.engines.ejabberd.engine import EjabberdEngine
from heliograph.node import Node, open_ports, run_node
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
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ejabberd_in(folder, LIVE))
        server.settings = {**server.settings, **settings}
        chosen = Settings(**server.settings)
        app = await _app(chosen)
        await server.configure(*(part for name in components for part in ("--component", name)))
        await server.start()
        node = await stack.enter_async_context(run_node(chosen))
        await reached(node.engine)
        place = await _place(stack, node, app, folder)
        await _programs_answer(place)
        yield place, server


@asynccontextmanager
async def running_on_a_cluster(
    folder: Path, **settings: Any
) -> AsyncIterator[tuple[list[Place], list[EjabberdServer]]]:
    """One node over two ejabberd nodes in a cluster. Its place comes twice: clients of the first connect to the first
    ejabberd node, those of the second to the second.
    """
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(ejabberd_in(_made(folder / name), LIVE)) for name in ("one", "two")]
        first, second = servers
        second.share_certificate(first)
        second.settings = {**second.settings, "data_dir": first.settings["data_dir"]}
        others = {
            "ejabberd_cluster_api_urls": second.settings["ejabberd_api_url"],
            "ejabberd_cluster_components": second.component_listener,
        }
        chosen = Settings(**{**first.settings, **others, **settings})
        app = await _app(chosen)
        for server in servers:
            await server.configure()
            await server.start()
        await second.join(first)
        node = await stack.enter_async_context(run_node(chosen))
        await reached(node.engine)
        nodes = [
            replace(node, **{name: server.ports[name] for name in ("xmpp_port", "xmpps_port")}) for server in servers
        ]
        places = [await _place(stack, each, app, first.folder) for each in nodes]
        for place in places:
            await _programs_answer(place)
        yield places, servers


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def _app(settings: Settings) -> NewApp:
    policy = Policy(registration=RegistrationPolicy.OPEN, max_sessions=3, sandbox_max_users=10_000)
    async with open_ports(settings) as ports:
        return await apps.create(ports, "Chat", LIVE, SANDBOX, policy)


async def _place(stack: AsyncExitStack, node: Node, app: NewApp, folder: Path) -> Place:
    authority = folder / "authority.pem"
    http = await stack.enter_async_context(httpx.AsyncClient(base_url=node.public_url, timeout=PATIENCE_S))
    place = Place(node, app, http, ssl.create_default_context(cafile=str(authority)), authority)
    stack.callback(place.hang_up)
    return place


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
    """Wait until each ejabberd has let the node speak for its users, and answer for both of its domains."""
    assert isinstance(engine, EjabberdEngine)
    leads = engine.mirror.grants.leads
    async with asyncio.timeout(PATIENCE_S):
        while not (  # noqa: ASYNC110 - tells nobody
            engine.is_reachable and all(leads(link, domain) for link in engine.links for domain in (LIVE, SANDBOX))
        ):
            await asyncio.sleep(0.02)
