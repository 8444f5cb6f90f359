"""The demonstration: a private node on free ports, three users and four devices, and every promise checked as it is
made; and a node that stays, with two users, for a person to try the pages on.
"""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from joserfc import jwt
from joserfc.jwk import ECKey
from rich.console import Console

from heliograph import (
    SDK,
    ConnectionStatus,
    ConnectionUpdate,
    DeviceBody,
    Event,
    HeliographError,
    MessageReceived,
    ProfileUpdate,
)
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from heliograph.wire import RegisterData

_PATIENCE_S = 10.0
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
_CAP = 3

AnyEvent = TypeVar("AnyEvent", bound=Event)


@dataclass(slots=True)
class Timeline:
    """Prints what happens with its time, and counts the promises that held and those that did not."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    held: int = 0
    broken: int = 0
    _begin: float = field(default_factory=time.perf_counter)

    def chapter(self, title: str) -> None:
        """Begin a new part of the story."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def note(self, text: str) -> None:
        """Tell a fact."""
        self.console.print(f"  {self._time()}    {text}", markup=False)

    def promise(self, text: str, is_held: bool, since: float | None = None) -> None:
        """Tell a promise and whether it held; `since` is the moment (of `time.perf_counter`) it took time from."""
        took = "" if since is None else f"  ({(time.perf_counter() - since) * 1000:.1f} ms)"
        mark = "[green]ok[/green]" if is_held else "[red]BROKEN[/red]"
        self.console.print(f"  {self._time()} {mark} {text}{took}")
        if is_held:
            self.held += 1
        else:
            self.broken += 1

    async def refused(self, text: str, code: str, call: Awaitable[object]) -> HeliographError | None:
        """A promise that a call fails with an error of that code; the error, if it did."""
        try:
            await call
        except HeliographError as error:
            self.promise(f"{text}: {error.status_code} {error.code}", error.code == code)
            return error
        self.promise(f"{text}: it was not refused", False)
        return None

    def _time(self) -> str:
        return f"{(time.perf_counter() - self._begin) * 1000:8.1f} ms"


@dataclass(slots=True)
class Device:
    """One user's device: an SDK, the credentials that it registered, and all that it was told."""

    name: str
    sdk: SDK
    account: RegisterData
    _seen: list[Event]
    _came: asyncio.Condition

    async def sees(self, kind: type[AnyEvent], is_it: Callable[[AnyEvent], bool]) -> AnyEvent | None:
        """Wait for an event, or find it among those that came; `None` if it does not come in time."""
        try:
            async with asyncio.timeout(_PATIENCE_S), self._came:
                while True:
                    for event in self._seen:
                        if isinstance(event, kind) and is_it(event):
                            return event
                    await self._came.wait()
        except TimeoutError:
            return None

    async def is_told_why(self, reason: str) -> bool:
        """Whether the device learns that its session ended for that reason."""
        ended = await self.sees(ConnectionUpdate, lambda event: event.status is ConnectionStatus.LOGOUT)
        return ended is not None and ended.reason == reason

    def saw(self, kind: type[AnyEvent], is_it: Callable[[AnyEvent], bool]) -> bool:
        """Whether such an event has come."""
        return any(isinstance(event, kind) and is_it(event) for event in self._seen)


@dataclass(slots=True)
class Stage:
    """The node, the app and the devices on it."""

    node: Node
    app: NewApp
    timeline: Timeline
    stack: AsyncExitStack

    def key(self, kind: KeyKind, environment: Environment) -> str:
        """One of the app's keys."""
        return self.app.keys[kind, environment]

    async def sdk(self, key: str, **listeners: Any) -> SDK:
        """A new SDK with that key."""
        sdk = await self.stack.enter_async_context(SDK())
        await sdk.initialize(self.node.public_url, key, ca_file=self.node.certificate_file, **listeners)
        return sdk

    async def device(self, user: str, name: str, *, is_connected: bool = True) -> Device:
        """Register a device of a sandbox user and connect it."""
        seen: list[Event] = []
        came = asyncio.Condition()

        async def tell(event: Event) -> None:
            async with came:
                seen.append(event)
                came.notify_all()

        sdk = await self.sdk(
            self.key(KeyKind.PUBLISHABLE, Environment.SANDBOX),
            device=DeviceBody(device=name),
            connection_listener=tell,
            user_profile_listener=tell,
            message_listener=tell,
        )
        device = Device(f"{user}'s {name}", sdk, (await sdk.register(user)).data, seen, came)
        self.timeline.note(f"{device.name} is registered as {device.account.user_jid}")
        if is_connected:
            since = time.perf_counter()
            response = await sdk.connect(device.account.username, device.account.password)
            self.timeline.promise(f"{device.name}: {response.message}", response.status_code == 200, since)
        return device


async def play() -> bool:
    """Play the story; whether every promise held."""
    timeline = Timeline()
    with tempfile.TemporaryDirectory(prefix="heliograph-demo-") as folder:
        async with AsyncExitStack() as stack:
            timeline.chapter("A node with an app")
            node = await stack.enter_async_context(_node(Path(folder), timeline))
            app = await _app(node, timeline)
            async with AsyncExitStack() as devices:
                await _story(Stage(node, app, timeline, devices))
            timeline.chapter("The end")
        timeline.note("the node has stopped gracefully")
    timeline.console.print(f"\n{timeline.held} promises held, {timeline.broken} broken")
    return timeline.broken == 0


async def stay(http_port: int, stopped: asyncio.Event) -> None:
    """Keep a private node up until `stopped` is set, and print where its pages are.

    Ada and Bob are contacts there, and both are signed in. Bob answers whoever writes to him. Whoever opens the pages
    is Ada, on further devices.

    Args:
        http_port: the port of the pages; 0 takes a free one.
        stopped: ends it.
    """
    with tempfile.TemporaryDirectory(prefix="heliograph-demo-") as folder:
        settings = Settings(data_dir=Path(folder), http_port=http_port, xmpp_port=0, xmpps_port=0)
        async with run_node(settings) as node, SDK() as ada, SDK() as bob:
            app = await apps.create(node.ports, "demo", "chat.localhost")
            key = app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
            await _join(ada, node, key, "ada", "Ada", "Looking for a ridge", device=DeviceBody(device="tablet"))
            await _join(bob, node, key, "bob", "Bob", "On the next ridge", message_listener=_answer(bob))
            await bob.add_contact("ada")
            secret_key = app.keys[KeyKind.SECRET, Environment.SANDBOX]
            invitation = _invitation(node.public_url, secret_key)
            Console(highlight=False, soft_wrap=True).print(invitation, markup=False)
            await stopped.wait()


async def _join(sdk: SDK, node: Node, key: str, user: str, name: str, status: str, **options: Any) -> None:
    await sdk.initialize(node.public_url, key, ca_file=node.certificate_file, **options)
    account = (await sdk.register(user)).data
    await sdk.connect(account.username, account.password)
    await sdk.update_profile(nick_name=name, status=status)


def _answer(sdk: SDK) -> Callable[[MessageReceived], Awaitable[None]]:
    async def answer(message: MessageReceived) -> None:
        await sdk.send_message(message.user_jid, f"Three flashes back: {message.text}")

    return answer


def _invitation(url: str, secret_key: str) -> str:
    return f"""
Try it: Ada and Bob are signed in. Open two windows of a browser, or a second profile as the phone:

  1. the phone    {url}/phone?as=ada    is one more device of Ada's
  2. the screen   {url}/                shows a code
  3. scan the code with the phone, or type the letters below it; approve; type the two digits on the screen
  4. write to Bob, change your photo on one and see it on the other, end the screen's session from the phone
  5. the console  {url}/admin           watch and change it all, with this app's secret key: {secret_key}

A camera works on this machine's own addresses and over HTTPS. Ctrl-C stops the node and forgets everything.
"""


@asynccontextmanager
async def _node(folder: Path, timeline: Timeline) -> AsyncIterator[Node]:
    settings = Settings(data_dir=folder, http_port=0, xmpp_port=0, xmpps_port=0)
    async with run_node(settings) as node:
        timeline.note(f"HTTP on {node.http_port}, XMPP on {node.xmpp_port} (STARTTLS) and {node.xmpps_port} (TLS)")
        yield node


async def _app(node: Node, timeline: Timeline) -> NewApp:
    policy = replace(apps.Policy(), max_sessions=_CAP)
    made = await apps.create(node.ports, "demo", "chat.localhost", policy=policy)
    timeline.note(f"app {made.app.name}: live users under {made.app.domain}, sandbox under {made.app.sandbox_domain}")
    return made


async def _story(stage: Stage) -> None:
    stage.timeline.chapter("Three users, four devices")
    phone = await stage.device("ada", "phone")
    laptop = await stage.device("ada", "laptop")
    bob = await stage.device("bob", "phone")
    carol = await stage.device("carol", "phone")
    await _contacts(stage, phone, bob)
    await _profile(stage, phone, laptop, bob, carol)
    await _absence(stage, phone, bob)
    await _sessions(stage, phone, laptop)
    await _cap(stage, phone)
    await _refusals(stage)
    await _verified(stage)


async def _contacts(stage: Stage, phone: Device, bob: Device) -> None:
    stage.timeline.chapter("Ada and Bob become contacts")
    friend = (await phone.sdk.add_contact("bob")).data
    stage.timeline.promise(f"ada adds bob: {friend.state}", friend.state == "friend")
    since = time.perf_counter()
    await bob.sdk.send_message(phone.account.user_jid, "Hello Ada")
    came = await phone.sees(MessageReceived, lambda event: event.text == "Hello Ada")
    stage.timeline.promise("bob's message reaches ada", came is not None, since)


async def _profile(stage: Stage, phone: Device, laptop: Device, bob: Device, carol: Device) -> None:
    stage.timeline.chapter("Ada sets her profile, and it is on every screen")
    since = time.perf_counter()
    stored = (await phone.sdk.set_user_profile("Ada", _PIXEL, "Weaving", "+4915123456789", "ada@example.org")).data
    stage.timeline.promise(f"stored as version {stored.version}, with a picture", stored.image != "", since)
    for device in (bob, laptop, phone):
        seen = await device.sees(ProfileUpdate, lambda event: event.user_id == "ada" and event.version == 1)
        is_whole = seen is not None and (seen.nick_name, seen.status, seen.image) == ("Ada", "Weaving", stored.image)
        stage.timeline.promise(f"{device.name} sees it", is_whole, since)
    seen_by_carol = (await carol.sdk.get_user_profile("ada")).data
    stage.timeline.promise("carol, who is no contact, is told nothing", not carol.saw(ProfileUpdate, lambda _: True))
    is_hidden = seen_by_carol.nick_name == "Ada" and seen_by_carol.mobile_number == "" == seen_by_carol.email
    stage.timeline.promise("when she asks, she sees the name, and neither number nor address", is_hidden)
    is_updated = (await phone.sdk.register("ada")).data.is_profile_updated
    stage.timeline.promise("from now on isProfileUpdated is true", is_updated)


async def _absence(stage: Stage, phone: Device, bob: Device) -> None:
    stage.timeline.chapter("Bob is away while it changes")
    await bob.sdk.close()
    await phone.sdk.update_profile(status="Still weaving")
    version = (await phone.sdk.update_profile(status="Done")).data.version
    again = await stage.device("bob", "tablet")
    since = time.perf_counter()
    seen = await again.sees(ProfileUpdate, lambda event: event.user_id == "ada" and event.version == version)
    stage.timeline.promise("back again, bob gets the newest version", seen is not None and seen.status == "Done", since)
    older = again.saw(ProfileUpdate, lambda event: event.user_id == "ada" and event.version != version)
    stage.timeline.promise("and nothing older", not older)


async def _sessions(stage: Stage, phone: Device, laptop: Device) -> None:
    stage.timeline.chapter("Ada ends the session on her laptop, from her phone")
    listed = (await phone.sdk.get_sessions()).data.sessions
    stage.timeline.promise(f"ada has {len(listed)} sessions, at most {_CAP}", len(listed) == _CAP)
    since = time.perf_counter()
    await phone.sdk.logout_session(laptop.account.session_id)
    stage.timeline.promise("the laptop is told why", await laptop.is_told_why("ended_by_user"), since)
    password = laptop.account.password
    refused = laptop.sdk.connect("ada", password)
    await stage.timeline.refused("its password is worth nothing now", "authentication_failed", refused)
    is_there = phone.sdk.connection_status is ConnectionStatus.CONNECTED
    stage.timeline.promise("the phone stays connected", is_there)


async def _cap(stage: Stage, phone: Device) -> None:
    stage.timeline.chapter(f"The cap of {_CAP} sessions")
    tablet = await stage.device("ada", "tablet")
    call = tablet.sdk.register("ada", force_register=False)
    error = await stage.timeline.refused("one more without force", "session_limit", call)
    listed = [] if error is None else error.details.get("sessions", [])
    stage.timeline.promise(f"the error lists the {len(listed)} sessions to choose from", len(listed) == _CAP)
    since = time.perf_counter()
    await tablet.sdk.register("ada", replace_session=phone.account.session_id)
    stage.timeline.promise("a named session makes room", await phone.is_told_why("replaced"), since)
    for _ in range(_CAP):
        await tablet.sdk.register("ada", force_register=True)
    stage.timeline.promise("with force, the least recently active one is evicted", await tablet.is_told_why("evicted"))


async def _refusals(stage: Stage) -> None:
    stage.timeline.chapter("What is refused")
    trial = stage.key(KeyKind.PUBLISHABLE, Environment.SANDBOX)
    live = stage.key(KeyKind.PUBLISHABLE, Environment.LIVE)
    sdk = await stage.sdk(trial)
    await stage.timeline.refused("an identifier with a capital", "identifier_invalid", sdk.register("Ada"))
    await stage.timeline.refused("an unknown key", "license_invalid", stage.sdk(f"{trial[:-4]}AAAA"))
    wrong = SDK().initialize(stage.node.public_url, live, True, ca_file=stage.node.certificate_file)
    await stage.timeline.refused("a live key that is said to be a trial one", "license_mode_mismatch", wrong)
    unverified = (await stage.sdk(live)).register("ada")
    await stage.timeline.refused("a live registration by anybody", "registration_unverified", unverified)


async def _verified(stage: Stage) -> None:
    stage.timeline.chapter("A live user, vouched for by the app's backend")
    sdk = await stage.sdk(stage.key(KeyKind.PUBLISHABLE, Environment.LIVE))
    claims = {"sub": "ada", "aud": stage.app.app.domain, "iat": int(time.time()), "jti": "demo-1"}
    assertion = jwt.encode({"alg": "ES256"}, claims, ECKey.import_key(json.loads(stage.app.assertion_private_key)))
    await sdk.set_user_token(assertion)
    account = (await sdk.register("ada")).data
    stage.timeline.promise(f"registered as {account.user_jid}, apart from the sandbox", not account.is_sandbox)
    response = await sdk.connect(account.username, account.password)
    stage.timeline.promise(response.message, response.status_code == 200)
    again = await stage.sdk(stage.key(KeyKind.PUBLISHABLE, Environment.LIVE))
    await again.set_user_token(assertion)
    await stage.timeline.refused("the same assertion a second time", "registration_unverified", again.register("ada"))
