"""What tests of use cases share: the real stores on a file of their own, a clock to turn, an app and its callers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from doubles import RecordingEngine, TurnedClock
from heliograph.bus.in_process import InProcessBus, InProcessRateCounters
from heliograph.core import apps
from heliograph.core.apps import Caller, Environment, KeyKind, NewApp
from heliograph.core.media_ports import ImageMaker
from heliograph.core.ports import Ports
from heliograph.core.sessions import Credentials, Verifiers
from heliograph.media.filesystem import FilesystemMedia
from heliograph.media.images import ImageWorkers
from heliograph.storage import sqlite
from heliograph.storage.stores import Stores
from heliograph.system.sealing import JweSealer
from heliograph.xmpp import scram


@dataclass
class CountedIds:
    """Bytes that differ from call to call and are the same in every run."""

    calls: int = 0

    def random(self, size: int) -> bytes:
        self.calls += 1
        return hashlib.shake_256(str(self.calls).encode()).digest(size)


@dataclass
class DirectCredentials:
    """Passwords derived on the spot, with too few iterations for any other use."""

    ids: CountedIds
    iterations: int = 2
    prepared: int = 0

    async def fresh(self) -> Credentials:
        return await self.under(self.ids.random(16), self.iterations)

    async def under(self, salt: bytes, iterations: int) -> Credentials:
        password = base64.urlsafe_b64encode(self.ids.random(18)).decode()
        sha1 = scram.derive(password, salt, iterations, "sha1")
        sha256 = scram.derive(password, salt, iterations, "sha256")
        plain = hashlib.sha256(password.encode()).digest()
        return Credentials(password, salt, iterations, Verifiers(*sha1, *sha256, plain))


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def engine() -> RecordingEngine:
    return RecordingEngine()


def wire(
    stores: Stores,
    folder: Path,
    ids: CountedIds,
    clock: TurnedClock,
    engine: RecordingEngine,
    images: ImageMaker,
) -> Ports:
    return Ports(
        clock=clock,
        ids=ids,
        credentials=DirectCredentials(ids),
        **stores.by_name(),
        media=FilesystemMedia(folder, "https://chat.test/media/"),
        images=images,
        remote_images=None,
        rates=InProcessRateCounters(),
        bus=InProcessBus(),
        sealer=JweSealer(),
        engine=engine,
    )


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NewApp]:
    """A folder with a database that holds one app, made once: each test gets a copy."""
    folder = tmp_path_factory.mktemp("seed")

    async def sow() -> NewApp:
        async with sqlite.open(folder / "heliograph.db") as stores:
            ports = wire(stores, folder, CountedIds(), TurnedClock(), RecordingEngine(), ImageWorkers())
            return await apps.create(ports, "Chat", "chat.example")

    return folder, asyncio.run(sow())


@pytest.fixture
async def ports(
    tmp_path: Path, seed: tuple[Path, NewApp], clock: TurnedClock, engine: RecordingEngine
) -> AsyncIterator[Ports]:
    """All ports of a node: real stores over a database of the test's own, in which the app is."""
    for file in seed[0].glob("*.db*"):
        shutil.copy(file, tmp_path)
    async with sqlite.open(tmp_path / "heliograph.db") as stores, ImageWorkers() as images:
        yield wire(stores, tmp_path, CountedIds(calls=1000), clock, engine, images)


@pytest.fixture
def app(seed: tuple[Path, NewApp]) -> NewApp:
    """The app at chat.example and sandbox.chat.example."""
    return seed[1]


@pytest.fixture
async def backend(ports: Ports, app: NewApp) -> Caller:
    """The app's backend, for live users."""
    return await apps.authenticate_key(ports, app.keys[KeyKind.SECRET, Environment.LIVE])


@pytest.fixture
async def client(ports: Ports, app: NewApp) -> Caller:
    """A client with the live publishable key."""
    return await apps.authenticate_key(ports, app.keys[KeyKind.PUBLISHABLE, Environment.LIVE])


@pytest.fixture
async def trial(ports: Ports, app: NewApp) -> Caller:
    """A client with the trial key."""
    return await apps.authenticate_key(ports, app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX])
