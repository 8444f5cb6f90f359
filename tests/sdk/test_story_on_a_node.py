"""The main story: SDKs and a running node, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from heliograph import (
    SDK,
    AdminBlockUpdate,
    BlockUpdate,
    ConnectionStatus,
    ConnectionUpdate,
    Event,
    FriendsListUpdate,
    MessageReceived,
    PresenceUpdate,
    ProfileUpdate,
    ReconnectPolicy,
    UserDeleted,
)
from heliograph.core import account_changes, apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.errors import (
    AccountNotFound,
    AdminBlocked,
    AlreadyConnected,
    AuthenticationFailed,
    HeliographError,
    NotConnected,
    SessionLimit,
)
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S

HASTY = ReconnectPolicy(backoff_base_s=0.05, backoff_max_s=0.05)

Kind = TypeVar("Kind", bound=Event)


class Device:
    """An SDK on one device, and all that it was told."""

    def __init__(self, sdk: SDK) -> None:
        self.sdk = sdk
        self.told: list[Event] = []
        self.events = sdk.events()

    async def hears(self, kind: type[Kind], is_it: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """Wait for the next such event; those before it are kept in `told`."""
        async with asyncio.timeout(PATIENCE_S):
            async for event in self.events:
                self.told.append(event)
                if isinstance(event, kind) and is_it(event):
                    return event
        raise AssertionError("the SDK was closed")

    async def becomes(self, status: ConnectionStatus) -> ConnectionUpdate:
        return await self.hears(ConnectionUpdate, lambda update: update.status is status)

    async def sees(self, user_id: str, name: str) -> ProfileUpdate:
        return await self.hears(ProfileUpdate, lambda update: (update.user_id, update.nick_name) == (user_id, name))

    async def catch_up(self) -> list[Event]:
        """All that was told, up to a message that this device sends itself and that comes last."""
        message_id = await self.sdk.send_message((await self.sdk.get_current_user_jid()).data.user_jid, ".")
        await self.hears(MessageReceived, lambda message: message.message_id == message_id.data.message_id)
        return self.told


Join = Callable[..., Awaitable[Device]]


class Place:
    """Where a node runs: it can be stopped and started again."""

    def __init__(self, data_dir: Path, ports: list[int]) -> None:
        http_port, xmpp_port, xmpps_port = ports
        self._settings = Settings(
            data_dir=data_dir,
            http_port=http_port,
            xmpp_port=xmpp_port,
            xmpps_port=xmpps_port,
            drain_timeout_s=1,
            log_level="warning",
        )
        self._stack = AsyncExitStack()
        self.node: Node

    async def start(self) -> None:
        self.node = await self._stack.enter_async_context(run_node(self._settings))

    async def stop(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def place(tmp_path: Path, free_ports: Callable[[int], list[int]]) -> AsyncIterator[Place]:
    place = Place(tmp_path, free_ports(3))
    await place.start()
    yield place
    await place.stop()


@pytest.fixture
async def known(place: Place) -> NewApp:
    return await apps.create(place.node.ports, "Chat", "localhost", "sandbox.localhost")


@pytest.fixture
async def join(place: Place, known: NewApp) -> AsyncIterator[Join]:
    """Makes devices that are registered and connected."""
    async with AsyncExitStack() as stack:

        async def make(user: str, *, is_connected: bool = True) -> Device:
            sdk = await stack.enter_async_context(SDK())
            await sdk.initialize(
                place.node.public_url,
                known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX],
                True,
                ca_file=place.node.certificate_file,
                reconnect_policy=HASTY,
            )
            device = Device(sdk)
            credentials = (await sdk.register(user)).data
            if is_connected:
                assert (await sdk.connect(credentials.username, credentials.password)).to_dict() == {
                    "statusCode": 200,
                    "message": "Login Success",
                }
                await device.becomes(ConnectionStatus.CONNECTED)
            return device

        yield make


async def test_a_profile_is_seen_live_by_a_contact_and_by_the_own_devices(join: Join) -> None:
    ada, tablet, bob, eve = await join("ada"), await join("ada"), await join("bob"), await join("eve")
    assert (await ada.sdk.add_contact("bob")).data.state == "friend"
    for device, other in ((ada, "bob"), (tablet, "bob"), (bob, "ada")):
        change = await device.hears(FriendsListUpdate)
        assert (change.user_id, change.state) == (other, "friend")

    stored = (await ada.sdk.set_user_profile("Ada", "https://a.test/a.png", "Here", "+4930123456", "a@mail.test")).data
    for device in (ada, tablet, bob):
        update = await device.sees("ada", "Ada")
        assert update.to_dict() == {
            "userId": "ada",
            "userJid": "ada@sandbox.localhost",
            "fromUser": "ada",
            "nickName": "Ada",
            "image": "https://a.test/a.png",
            "thumbImage": stored.thumb_image,
            "status": "Here",
            "userStatus": "Here",
            "mobileNumber": "+4930123456",
            "email": "a@mail.test",
            "isAdminBlocked": False,
            "version": 1,
        }
    for device in (ada, tablet, bob, eve):
        told = [event for event in await device.catch_up() if isinstance(event, ProfileUpdate)]
        assert len(told) == (0 if device is eve else 1)


async def test_a_contact_that_was_offline_gets_the_newest_version_when_it_connects(join: Join) -> None:
    ada, bob = await join("ada"), await join("bob", is_connected=False)
    await ada.sdk.add_contact("bob")
    for number in range(1, 4):
        await ada.sdk.set_user_profile(f"Ada {number}")
    password = (await bob.sdk.register("bob")).data.password
    await bob.sdk.connect("bob", password)
    assert (await bob.sees("ada", "Ada 3")).version == 3
    assert [event.version for event in await bob.catch_up() if isinstance(event, ProfileUpdate)] == [3]


async def test_profile_updates_come_in_order_and_once(join: Join) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.sdk.add_contact("bob")
    for number in range(1, 21):
        await ada.sdk.set_user_profile(f"Ada {number}")
    await bob.sees("ada", "Ada 20")
    versions = [event.version for event in await bob.catch_up() if isinstance(event, ProfileUpdate)]
    assert versions == sorted(set(versions))
    assert versions[-1] == 20


async def test_presence_and_messages_reach_a_friend(join: Join) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.sdk.add_contact("bob")
    assert (await ada.hears(PresenceUpdate, lambda presence: presence.user_id == "bob")).is_online
    sent = (await bob.sdk.send_message("ada", "Hello & <welcome>\n👋")).data
    heard = await ada.hears(MessageReceived)
    assert (heard.message_id, heard.user_id, heard.text) == (sent.message_id, "bob", "Hello & <welcome>\n👋")
    assert (await ada.sdk.get_last_seen("bob")).data.is_online
    await bob.sdk.close()
    assert not (await ada.hears(PresenceUpdate, lambda presence: presence.user_id == "bob")).is_online
    assert not (await ada.sdk.get_last_seen("bob@sandbox.localhost")).data.is_online


async def test_an_evicted_device_is_told_and_the_others_stay(join: Join) -> None:
    devices = [await join("ada") for _ in range(5)]
    with pytest.raises(SessionLimit):
        await devices[1].sdk.register("ada", force_register=False)
    await join("ada")
    outcome = {asyncio.ensure_future(device.becomes(ConnectionStatus.LOGOUT)): device for device in devices}
    done, waiting = await asyncio.wait(outcome, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
    (evicted,) = done
    assert evicted.result().reason == "evicted"
    assert outcome[evicted] is devices[0]
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    for device in devices[1:]:
        assert device.sdk.connection_status is ConnectionStatus.CONNECTED
        await device.catch_up()
    with pytest.raises(NotConnected):
        await devices[0].sdk.get_current_user_jid()


async def test_ending_one_session_ends_that_device_alone(join: Join) -> None:
    ada, tablet = await join("ada"), await join("ada")
    sessions = (await ada.sdk.get_sessions()).data.sessions
    await ada.sdk.logout_session(next(session.id for session in sessions if not session.current))
    assert (await tablet.becomes(ConnectionStatus.LOGOUT)).reason == "ended_by_user"
    await ada.catch_up()
    assert ada.sdk.connection_status is ConnectionStatus.CONNECTED


async def test_logging_out_is_told_once(join: Join) -> None:
    ada = await join("ada")
    await ada.sdk.logout()
    assert (await ada.becomes(ConnectionStatus.LOGOUT)).reason == "logout"
    assert ada.sdk.connection_status is ConnectionStatus.LOGOUT
    credentials = (await ada.sdk.register("ada")).data
    await ada.sdk.connect(credentials.username, credentials.password)
    statuses = [event.status for event in await ada.catch_up() if isinstance(event, ConnectionUpdate)]
    assert statuses.count(ConnectionStatus.LOGOUT) == 1


async def test_a_deleted_user_is_told_on_every_device(join: Join) -> None:
    ada, tablet, bob = await join("ada"), await join("ada"), await join("bob")
    await ada.sdk.add_contact("bob")
    await ada.sdk.delete_my_account("Moving on")
    for device in (ada, tablet):
        assert (await device.hears(UserDeleted)).user_id == "ada"
        assert device.sdk.connection_status is ConnectionStatus.LOGOUT
    assert (await bob.hears(FriendsListUpdate, lambda change: change.state == "removed")).user_id == "ada"


async def test_a_blocked_user_is_told_and_cannot_come_back(join: Join, place: Place, known: NewApp) -> None:
    ada = await join("ada")
    password = (await ada.sdk.register("ada")).data.password
    ports = place.node.ports
    backend = await apps.authenticate_key(ports, known.keys[KeyKind.SECRET, Environment.SANDBOX])
    await account_changes.set_blocked(ports, backend, "ada", True)
    assert (await ada.becomes(ConnectionStatus.LOGOUT)).reason == "admin_blocked"
    assert (await ada.hears(AdminBlockUpdate)).is_admin_blocked
    with pytest.raises((AdminBlocked, AuthenticationFailed)):
        await ada.sdk.connect("ada", password)


async def test_a_wrong_password_is_refused(join: Join) -> None:
    ada = await join("ada", is_connected=False)
    for username, password in (("ada", "wrong"), ("nobody", "wrong"), ("no user @ all", "wrong"), ("ada", "")):
        with pytest.raises(AuthenticationFailed) as caught:
            await ada.sdk.connect(username, password)
        assert caught.value.status_code == 401


async def test_another_user_has_to_wait_for_the_logout(join: Join) -> None:
    ada = await join("ada")
    with pytest.raises(AlreadyConnected):
        await ada.sdk.connect("bob", "secret")
    with pytest.raises(AlreadyConnected):
        await ada.sdk.register("bob")
    password = (await ada.sdk.register("ada")).data.password
    assert (await ada.sdk.connect("ada", password)).status_code == 200
    assert ada.sdk.connection_status is ConnectionStatus.CONNECTED


async def test_credentials_alone_are_enough_for_everything(join: Join, place: Place, known: NewApp) -> None:
    first = await join("ada", is_connected=False)
    password = (await first.sdk.register("ada")).data.password
    key = known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    async with SDK() as sdk:
        await sdk.initialize(place.node.public_url, key, ca_file=place.node.certificate_file)
        await sdk.connect("ada", password)
        assert (await sdk.set_user_profile("Ada")).data.version == 1


async def test_without_the_nodes_certificate_nothing_is_trusted(join: Join, place: Place, known: NewApp) -> None:
    first = await join("ada", is_connected=False)
    password = (await first.sdk.register("ada")).data.password
    async with SDK() as sdk:
        await sdk.initialize(place.node.public_url, known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX])
        with pytest.raises(HeliographError, match="certificate"):
            await sdk.connect("ada", password)


async def test_after_a_restart_of_the_node_all_goes_on(join: Join, place: Place) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.sdk.add_contact("bob")
    await ada.sdk.set_user_profile("Ada")
    await bob.sees("ada", "Ada")
    await place.stop()
    assert (await bob.becomes(ConnectionStatus.DISCONNECTED)).reason == "system-shutdown"
    await bob.becomes(ConnectionStatus.CONNECTIONFAILED)
    await place.start()
    for device in (ada, bob):
        await device.becomes(ConnectionStatus.CONNECTED)
    await ada.sdk.set_user_profile("Ada again")
    assert (await bob.sees("ada", "Ada again")).version == 2
    versions = [event.version for event in await bob.catch_up() if isinstance(event, ProfileUpdate)]
    assert versions == [1, 2]


async def test_listeners_hear_the_same(place: Place, known: NewApp) -> None:
    statuses: list[str] = []
    names: asyncio.Queue[str] = asyncio.Queue()

    async def on_profile(update: ProfileUpdate) -> None:
        await names.put(update.nick_name)

    async with SDK() as sdk:
        await sdk.initialize(
            place.node.public_url,
            known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX],
            callback_listeners={"connection_listener": lambda update: statuses.append(update.status)},
            user_profile_listener=on_profile,
            ca_file=place.node.certificate_file,
        )
        credentials = (await sdk.register("ada")).data
        await sdk.connect(credentials.username, credentials.password)
        assert statuses == ["CONNECTING", "CONNECTED"]
        await sdk.set_user_profile("Ada")
        assert await asyncio.wait_for(names.get(), PATIENCE_S) == "Ada"
    assert statuses == ["CONNECTING", "CONNECTED", "DISCONNECTED"]


async def test_a_blocked_friend_is_gone_on_all_devices_until_unblocked(join: Join) -> None:
    ada, tablet, bob = await join("ada"), await join("ada"), await join("bob")
    await ada.sdk.add_contact("bob")
    for device in (ada, tablet):
        assert (await device.hears(PresenceUpdate, lambda presence: presence.user_id == "bob")).is_online
    blocked = (await ada.sdk.block_user("bob")).data
    assert (await tablet.sdk.get_users_i_blocked()).data.blocked == (blocked,)
    for device in (ada, tablet):
        assert not (await device.hears(PresenceUpdate, lambda presence: presence.user_id == "bob")).is_online
        told = await device.hears(BlockUpdate)
        assert told.to_dict() == {"userId": "bob", "userJid": "bob@sandbox.localhost", "isBlocked": True}
    with pytest.raises(AccountNotFound):
        await bob.sdk.get_user_profile("ada")
    await bob.sdk.send_message("ada", "Hello?")
    await bob.sdk.set_user_profile("Bob")
    await bob.catch_up()
    told_in_between = await ada.catch_up()
    assert not any(isinstance(event, ProfileUpdate) for event in told_in_between)
    assert not any(isinstance(event, MessageReceived) and event.user_id == "bob" for event in told_in_between)

    await tablet.sdk.unblock_user("bob")
    assert not (await ada.hears(BlockUpdate)).is_blocked
    assert (await ada.sees("bob", "Bob")).version == 1
    assert (await ada.sdk.get_users_i_blocked()).data.blocked == ()
