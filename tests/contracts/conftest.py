"""What the contract suites share: every adapter of the stores, and records to put into them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from heliograph.core.accounts import Account, Registration, Standing
from heliograph.core.apps import App, Environment
from heliograph.core.assertions import AssertionUse
from heliograph.core.messaging_ports import ArchiveStore, OfflineStore, PepStore, PepTieStore
from heliograph.core.ports import (
    AccountStore,
    AppStore,
    AuditStore,
    BlockStore,
    ContactStore,
    Directory,
    InvitationStore,
    PhoneBookStore,
    ProfileStore,
    QrLinkStore,
    SessionStore,
    WebhookStore,
)
from heliograph.core.remote_server import RemoteServerStore
from heliograph.core.sessions import Device, Session, Verifiers, Via, admit
from heliograph.core.token_ports import FastTokenStore, SignInStore, TokenStore
from heliograph.core.tokens import TokenKind, TokenRecord
from heliograph.storage import postgres, sqlite
from heliograph.storage import stores as stores_module
from postgres_server import empty_database

NOW = 1_800_000_000.0


@dataclass
class Stores:
    """The stores of one adapter, as the rules see them."""

    apps: AppStore
    accounts: AccountStore
    sessions: SessionStore
    tokens: TokenStore
    fast_tokens: FastTokenStore
    sign_ins: SignInStore
    profiles: ProfileStore
    contacts: ContactStore
    invitations: InvitationStore
    phone_book: PhoneBookStore
    blocks: BlockStore
    pep: PepStore
    pep_ties: PepTieStore
    offline: OfflineStore
    archive: ArchiveStore
    audit: AuditStore
    webhooks: WebhookStore
    remote_server: RemoteServerStore
    directory: Directory
    qr_links: QrLinkStore


@asynccontextmanager
async def opened_database(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[stores_module.Stores]:
    """Empty stores over the database that a fixture's parameter names."""
    if request.param == "sqlite":
        async with sqlite.open(folder / "heliograph.db") as opened:
            yield opened
    else:
        async with empty_database(request.getfixturevalue("postgres_url")) as url, postgres.open(url) as opened:
            yield opened


@pytest.fixture
def open_database() -> Callable[[pytest.FixtureRequest, Path], AbstractAsyncContextManager[stores_module.Stores]]:
    """`opened_database`, for suites whose stores need more before they begin."""
    return opened_database


@pytest.fixture(params=["sqlite", "postgres"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Empty stores over every database in turn."""
    async with opened_database(request, tmp_path) as opened:
        yield Stores(
            opened.apps,
            opened.accounts,
            opened.sessions,
            opened.tokens,
            opened.fast_tokens,
            opened.sign_ins,
            opened.profiles,
            opened.contacts,
            opened.invitations,
            opened.phone_book,
            opened.blocks,
            opened.pep,
            opened.pep_ties,
            opened.offline,
            opened.archive,
            opened.audit,
            opened.webhooks,
            opened.remote_server,
            opened.directory,
            opened.qr_links,
        )


@pytest.fixture
async def app(stores: Stores) -> App:
    """An app, stored."""
    stored = App("app_1", "Chat", "chat.example", "sandbox.chat.example", '{"kty":"EC"}', NOW)
    await stores.apps.add(stored, [])
    return stored


def verifiers(seed: str) -> Verifiers:
    """Verifiers that differ from seed to seed."""
    sha1, sha256 = hashlib.sha1(seed.encode()).digest(), hashlib.sha256(seed.encode()).digest()
    return Verifiers(sha1, sha1[::-1], sha256, sha256[::-1], hashlib.sha256(sha256).digest())


@dataclass
class Registrar:
    """Registers users as the rules would, with everything numbered."""

    stores: Stores
    numbers: count[int] = field(default_factory=lambda: count(1))
    standings: list[Standing] = field(default_factory=list)

    def decision(
        self, jid: str, *, now: float = NOW, cap: int = 5, force: bool = True, replace_session: str | None = None
    ) -> Callable[[Standing], Registration]:
        """A decision that admits a new session under a cap."""
        number = next(self.numbers)
        identifier, _, domain = jid.partition("@")
        environment = Environment.SANDBOX if domain.startswith("sandbox.") else Environment.LIVE
        draft = Account(
            id=0,
            app_id="app_1",
            environment=environment,
            identifier=identifier,
            jid=jid,
            salt=hashlib.sha256(jid.encode()).digest()[:16],
            iterations=4096,
            metadata={},
            is_blocked=False,
            created_at=now,
            expires_at=now + 30 * 86400 if environment is Environment.SANDBOX else None,
        )
        device = Device(f"Phone {number}", "Firefox", "Linux", "192.0.2.1")
        session_id = f"ses_{number}"
        tokens = tuple(self.token(f"{kind}-{number}", kind, session_id, now) for kind in TokenKind)

        def decide(standing: Standing) -> Registration:
            self.standings.append(standing)
            account = standing.account or draft
            ended = admit(standing.sessions, cap, force, replace_session)
            session = Session(session_id, account.id, Via.REGISTER, device, now, now)
            return Registration(account, session, verifiers(session_id), tokens, ended, replace_session)

        return decide

    async def register(self, jid: str, assertion: AssertionUse | None = None, **options: object) -> Registration:
        """A registration, written."""
        return await self.stores.accounts.register(jid, self.decision(jid, **options), assertion)  # type: ignore[arg-type]

    async def register_with(self, jid: str, **changes: object) -> Registration:
        """A registration whose account gets other values."""
        decide = self.decision(jid)

        def changed(standing: Standing) -> Registration:
            registration = decide(standing)
            return replace(registration, account=replace(registration.account, **changes))  # type: ignore[arg-type]

        return await self.stores.accounts.register(jid, changed)

    def token(self, name: str, kind: TokenKind, session_id: str, now: float = NOW) -> TokenRecord:
        """A token whose hash stands for its name."""
        ttl_s = 3600 if kind is TokenKind.ACCESS else 90 * 86400
        return TokenRecord(hashlib.sha256(name.encode()).digest(), kind, session_id, now + ttl_s)


@pytest.fixture
def registrar(stores: Stores, app: App) -> Registrar:
    """Whoever registers users here; the app is stored."""
    return Registrar(stores)
