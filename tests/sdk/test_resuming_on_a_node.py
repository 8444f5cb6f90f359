"""An SDK whose socket breaks goes on with its stream (XEP-0198), on a running node over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from heliograph import (
    SDK,
    ConnectionStatus,
    ConnectionUpdate,
    Event,
    MessageReceived,
    PresenceUpdate,
    ProfileUpdate,
    ReconnectPolicy,
)
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S

HASTY = ReconnectPolicy(backoff_base_s=0.02, backoff_max_s=0.02)

Join = Callable[[str], Awaitable["Device"]]


class Device:
    """A connected SDK, and all that it was told."""

    def __init__(self, sdk: SDK) -> None:
        self.sdk = sdk
        self.told: list[Event] = []
        self._events = sdk.events()

    @property
    def jid(self) -> str:
        stream = self.sdk._on.connection._stream
        assert stream is not None
        return stream.jid

    async def until(self, is_it: Callable[[Event], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            async for event in self._events:
                self.told.append(event)
                if is_it(event):
                    return

    async def break_socket(self) -> None:
        """Break the connection without a word, and wait until it stands again."""
        stream = self.sdk._on.connection._stream
        assert stream is not None
        stream._socket.abort()
        await self.until(_is_status(ConnectionStatus.DISCONNECTED))
        await self.until(_is_status(ConnectionStatus.CONNECTED))

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, MessageReceived)]


def _is_status(status: ConnectionStatus) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, ConnectionUpdate) and event.status is status


def _is_message(text: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, MessageReceived) and event.text == text


def _is_profile(name: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, ProfileUpdate) and event.nick_name == name


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    settings = Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with run_node(settings) as node:
        yield node


@pytest.fixture
async def join(node: Node) -> AsyncIterator[Join]:
    key = (await apps.create(node.ports, "Chat", "localhost", "sandbox.localhost")).keys
    async with AsyncExitStack() as stack:

        async def make(user: str) -> Device:
            sdk = await stack.enter_async_context(SDK())
            publishable = key[KeyKind.PUBLISHABLE, Environment.SANDBOX]
            ca_file = node.certificate_file
            await sdk.initialize(node.public_url, publishable, True, ca_file=ca_file, reconnect_policy=HASTY)
            device = Device(sdk)
            credentials = (await sdk.register(user)).data
            await sdk.connect(credentials.username, credentials.password)
            return device

        yield make


async def test_a_broken_socket_costs_neither_the_place_nor_a_message(join: Join, node: Node) -> None:
    ada, bob = await join("ada"), await join("bob")
    jid = ada.jid
    for number in range(3):
        await bob.sdk.send_message(jid.partition("/")[0], f"before {number}")
        await ada.break_socket()
        assert ada.jid == jid
        await bob.sdk.send_message(jid.partition("/")[0], f"after {number}")
        await ada.until(_is_message(f"after {number}"))
    assert ada.texts == [f"{when} {number}" for number in range(3) for when in ("before", "after")]
    assert node.engine.online(jid.partition("/")[0]) == [jid]


async def test_the_contacts_are_told_nothing_of_it(join: Join) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.sdk.add_contact("bob")
    await bob.until(lambda event: isinstance(event, PresenceUpdate))
    bob.told.clear()
    await ada.break_socket()
    await ada.sdk.send_message("bob", "here again")
    await bob.until(_is_message("here again"))
    assert [event for event in bob.told if isinstance(event, PresenceUpdate)] == []


async def test_requests_after_a_broken_socket_are_answered(join: Join) -> None:
    ada = await join("ada")
    await ada.break_socket()
    stream = ada.sdk._on.connection._stream
    assert stream is not None
    assert stream.is_resumed
    assert (await stream.request("get", "<ping xmlns='urn:xmpp:ping'/>")).type == "result"


async def test_a_stream_that_the_server_no_longer_has_is_begun_anew(join: Join, node: Node) -> None:
    ada, bob = await join("ada"), await join("bob")
    jid = ada.jid
    for managed in tuple(node.engine.managed._resumable.values()):
        if managed.resource.jid == jid:
            managed.ttl_s = 0
    await ada.break_socket()
    await bob.sdk.send_message("ada", "welcome back")
    await ada.until(_is_message("welcome back"))
    assert ada.jid != jid


def _forget(node: Node, jid: str) -> None:
    """Let the server keep a stream no longer than its connection."""
    for managed in tuple(node.engine.managed._resumable.values()):
        if managed.resource.jid == jid:
            managed.ttl_s = 0


@pytest.mark.parametrize("is_handled", [True, False])
async def test_a_message_that_may_be_lost_is_sent_again_and_comes_once(
    join: Join, node: Node, is_handled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await join("ada"), await join("bob")
    _forget(node, ada.jid)
    stream = ada.sdk._on.connection._stream
    assert stream is not None
    if is_handled:
        monkeypatch.setattr(stream, "received", lambda _data: None)  # no acknowledgement comes back
    else:
        monkeypatch.setattr(stream._socket, "write", lambda _data: None)
    await ada.sdk.send_message("bob", "are you there?")
    if is_handled:
        await bob.until(_is_message("are you there?"))
    await ada.break_socket()
    await ada.sdk.send_message("bob", "now I am")
    await bob.until(_is_message("now I am"))
    assert bob.texts == ["are you there?", "now I am"]


async def test_a_stream_that_begins_anew_asks_only_for_profiles_that_have_changed(join: Join, node: Node) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    for friend in (bob, eve):
        await friend.sdk.set_user_profile("First")
        await ada.sdk.add_contact((await friend.sdk.get_current_user_jid()).data.user_jid.partition("@")[0])
        await ada.until(lambda event: isinstance(event, ProfileUpdate))
    ada.told.clear()
    for managed in tuple(node.engine.managed._resumable.values()):
        if managed.resource.jid == ada.jid:
            managed.ttl_s = 0
    await bob.sdk.set_user_profile("Second")
    await ada.until(_is_profile("Second"))
    ada.told.clear()
    await ada.break_socket()
    await bob.sdk.set_user_profile("Third")
    await ada.until(_is_profile("Third"))
    assert [(event.user_id, event.version) for event in ada.told if isinstance(event, ProfileUpdate)] == [("bob", 3)]
    (resource,) = node.engine.router.resources(ada.jid.partition("/")[0])
    assert resource.since > 0
