"""One node for each engine, and devices on it: what a user notices must not depend on the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest

import needs
from ejabberd_clients import until, watching_client
from ejabberd_places import running_on_ejabberd
from heliograph import SDK, ConnectionStatus, ConnectionUpdate, Event, MessageReceived, ProfileUpdate, ReconnectPolicy
from heliograph.core.apps import Environment, KeyKind
from patience import PATIENCE_S
from places import Place, running
from wires import Client

HASTY = ReconnectPolicy(backoff_base_s=0.05, backoff_max_s=0.5)
PROFILE_NODES = ("http://jabber.org/protocol/nick", "urn:xmpp:vcard4", "urn:xmpp:avatar:metadata")

Kind = TypeVar("Kind", bound=Event)


class Device:
    """An SDK on one device of a user, and what it is told."""

    def __init__(self, place: Place, sdk: SDK, user: str) -> None:
        self.place = place
        self.sdk = sdk
        self.user = user
        self.password = ""
        self.session_id = ""
        self.events = sdk.events()

    async def hears(self, kind: type[Kind], is_it: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """The next such event; those before it are dropped."""
        async with asyncio.timeout(PATIENCE_S):
            async for event in self.events:
                if isinstance(event, kind) and is_it(event):
                    return event
        raise AssertionError("the SDK was closed")

    async def becomes(self, status: ConnectionStatus) -> ConnectionUpdate:
        return await self.hears(ConnectionUpdate, lambda update: update.status is status)

    async def sees(self, user: str, name: str) -> ProfileUpdate:
        return await self.hears(ProfileUpdate, lambda update: (update.user_id, update.nick_name) == (user, name))

    async def register(self, **options: Any) -> None:
        """A new session of the user."""
        made = (await self.sdk.register(self.user, **options)).data
        self.password, self.session_id = made.password, made.session_id

    async def connect(self) -> None:
        """Connect, and wait until the node knows whose connection it is: another engine's server tells it so."""
        await self.sdk.connect(self.user, self.password)
        await self.becomes(ConnectionStatus.CONNECTED)
        resources = self.place.node.engine.router.full
        await until(lambda: any(each.session_id == self.session_id for each in resources.values()))

    async def is_through(self) -> None:
        """Wait until the server has done what this device has asked of it so far: a message to itself comes behind it.

        That matters before somebody else acts on another stream. ejabberd asks whether a receiver exists, which may
        take long, before it keeps or refuses a message.
        """
        sent = (await self.sdk.send_message(self.user, "Echo")).data
        await self.hears(MessageReceived, lambda heard: heard.message_id == sent.message_id)


@pytest.fixture(scope="session")
async def embedded_place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with running(tmp_path_factory.mktemp("embedded"), domain="localhost") as place:
        yield place


@pytest.fixture(scope="session")
async def ejabberd_place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    needs.ejabberd()
    async with running_on_ejabberd(tmp_path_factory.mktemp("ejabberd"), log_level="warning") as (place, _):
        yield place


@pytest.fixture(params=["embedded", "ejabberd"])
def place(request: pytest.FixtureRequest) -> Place:
    """A node on each engine in turn."""
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
def user(place: Place) -> Callable[[str], str]:
    """Names that no other test has."""
    return place.name


@pytest.fixture
async def new_device(place: Place, request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., Awaitable[Device]]]:
    """Makes devices that know the node and have no session yet."""
    async with AsyncExitStack() as stack:

        async def make(user: str, **options: Any) -> Device:
            sdk = await stack.enter_async_context(SDK())
            await sdk.initialize(
                place.node.public_url,
                place.key(Environment.SANDBOX, KeyKind.PUBLISHABLE),
                True,
                ca_file=place.ca_file,
                reconnect_policy=HASTY,
                **options,
            )
            return Device(place, sdk, user)

        yield make


@pytest.fixture
async def join(new_device: Callable[..., Awaitable[Device]]) -> Callable[..., Awaitable[Device]]:
    """Makes devices with a session that are connected."""

    async def make(user: str, *, is_connected: bool = True, **options: Any) -> Device:
        device = await new_device(user, **options)
        await device.register()
        if is_connected:
            await device.connect()
        return device

    return make


@pytest.fixture
async def plain_client(place: Place) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Makes clients of no make that are there, and are told of the profile's nodes or of others."""

    async def make(user: str, *nodes: str) -> Client:
        return await watching_client(place, await place.register(user), *(nodes or PROFILE_NODES))

    yield make
    place.hang_up()
