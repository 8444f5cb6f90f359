"""Both sides of QR sign-in over the real stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from heliograph.core import accounts, qr_browser, qr_phone, tokens
from heliograph.core.accounts import Registered, RegisterRequest
from heliograph.core.apps import Caller
from heliograph.core.ports import Ports
from heliograph.core.qr_browser import NewCodes
from heliograph.core.qr_login import Event, QrLink
from heliograph.core.sessions import Device
from heliograph.core.tokens import Identity
from heliograph.errors import HeliographError

HOME, OFFICE = "198.51.100.1", "203.0.113.9"


@dataclass
class Browser:
    """One browser at HOME that shows codes, and what a phone does with them."""

    ports: Ports
    caller: Caller
    key: ECKey
    codes: NewCodes
    resume_secret: str
    holder: str = "socket 1"

    @property
    def id(self) -> str:
        return self.codes.link.id

    @property
    def key_hash(self) -> str:
        return str(self.key.thumbprint())

    async def link(self) -> QrLink:
        found = await qr_browser.look(self.ports, self.id)
        assert found is not None
        return found

    async def rotate(self, event: Event = Event.ROTATE) -> NewCodes:
        self.codes = await qr_browser.rotate(self.ports, self.id, self.holder, event)
        return self.codes

    async def verify(self, code: str | None) -> QrLink:
        return await qr_browser.verify(self.ports, self.id, self.holder, code)

    async def sign_in(self, caller: Caller | None = None) -> Registered:
        return await qr_browser.sign_in(self.ports, caller or self.caller, await self.link())

    async def deliver(self, made: Registered) -> QrLink:
        """Seal the credential, and have the browser say that it came."""
        await self.seal(made)
        return await qr_browser.confirm(self.ports, self.id, self.holder)

    async def seal(self, made: Registered) -> QrLink:
        return await qr_browser.seal(self.ports, await self.link(), made, "sealed")

    async def resume(self, holder: str, secret: str | None = None, caller: Caller | None = None) -> QrLink:
        proof = self.resume_secret if secret is None else secret
        return await qr_browser.resume(self.ports, caller or self.caller, None, HOME, self.id, proof, holder)

    async def ended_with(self) -> str:
        with pytest.raises(HeliographError) as reason:
            await self.verify("")
        return reason.value.code

    async def scan(self, phone: Identity, address: str = HOME) -> qr_phone.Consent:
        return await qr_phone.scan(self.ports, phone, self.codes.code, address)

    async def approve(self, phone: Identity, **options: Any) -> str:
        key_hash = options.pop("key_hash", self.key_hash)
        return await qr_phone.approve(self.ports, phone, self.id, key_hash, HOME, **options)

    async def approved(self, phone: Identity, **options: Any) -> str:
        await self.scan(phone)
        return await self.approve(phone, **options)

    async def signed_in(self, phone: Identity) -> Registered:
        await self.verify(await self.approved(phone))
        return await self.sign_in()


@pytest.fixture
def open_browser(ports: Ports, trial: Caller) -> Callable[..., Awaitable[Browser]]:
    async def make(caller: Caller = trial, address: str = HOME) -> Browser:
        key = ECKey.generate_key("P-256")
        public, challenge = await qr_browser.greet(ports, caller, None, address, key.as_dict(private=False))
        nonce = jwe.decrypt_compact(challenge.jwe, key, algorithms=["ECDH-ES", "A256GCM"]).plaintext
        assert nonce is not None
        qr_browser.check_proof(challenge, nonce.decode())
        device = Device("", "Firefox", "Linux", address)
        opened = await qr_browser.open_link(ports, caller, public, device, "socket 1")
        return Browser(ports, caller, key, opened.codes, opened.resume_secret)

    return make


@pytest.fixture
async def browser(open_browser: Callable[..., Awaitable[Browser]]) -> Browser:
    return await open_browser()


@pytest.fixture
def sign_up(ports: Ports, trial: Caller) -> Callable[..., Awaitable[Identity]]:
    async def make(identifier: str = "ada", caller: Caller = trial) -> Identity:
        device = Device("Pixel", "", "Android", OFFICE)
        made = await accounts.register(ports, caller, RegisterRequest(identifier, device=device))
        return await tokens.authenticate(ports, caller, made.tokens.access_token)

    return make


@pytest.fixture
async def phone(sign_up: Callable[..., Awaitable[Identity]]) -> Identity:
    return await sign_up()
