"""Whatever ends a session ends all that belongs to it together: every transition and every artefact, on a running node.

The artefacts: the stream, the password, the access and the refresh token, the token for signing in again (XEP-0484),
and what the session has approved by QR code and is not signed in yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from heliograph import SDK, Backend, ConnectionUpdate, DeviceBody, SessionEnded
from heliograph.core import accounts, apps, fast_tokens, opaque, qr_browser, qr_phone, tokens
from heliograph.core.apps import Caller, Environment, KeyKind, NewApp
from heliograph.core.fast_tokens import Wish
from heliograph.core.ports import Ports
from heliograph.core.qr_login import State
from heliograph.core.sessions import Device
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from heliograph.wire import RegisterData
from patience import PATIENCE_S

CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770"
BROWSER = DeviceBody(device="Laptop", browser="Firefox")


@dataclass
class Stage:
    """A running node with an app, and how its parts are reached."""

    node: Node
    known: NewApp
    http: httpx.AsyncClient
    backend: Backend
    stack: AsyncExitStack

    def key(self, kind: KeyKind) -> str:
        return self.known.keys[kind, Environment.SANDBOX]

    @property
    def ports(self) -> Ports:
        return self.node.ports

    async def device(self) -> SDK:
        sdk = await self.stack.enter_async_context(SDK())
        certificate = self.node.certificate_file
        await sdk.initialize(self.node.public_url, self.key(KeyKind.PUBLISHABLE), ca_file=certificate, device=BROWSER)
        return sdk

    async def revoke(self, token: str) -> None:
        headers = {"Heliograph-Key": self.key(KeyKind.PUBLISHABLE)}
        answer = await self.http.post("/api/v1/tokens/revoke", headers=headers, json={"token": token})
        assert answer.status_code == 200

    async def code(self, method: str, path: str, token: str = "", **body: str) -> str:
        """The error code of a call; `""` where it succeeds."""
        headers = {"Heliograph-Key": self.key(KeyKind.PUBLISHABLE), "Authorization": token}
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers, json=body or None)
        return str(answer.json().get("code", ""))


class Victim:
    """A session with one of every artefact."""

    def __init__(self, stage: Stage, sdk: SDK, data: RegisterData) -> None:
        self.stage, self.sdk, self.data = stage, sdk, data
        self.link_id = ""

    async def gather(self) -> None:
        """Connect, get a token for the next sign-in, and approve a QR code without its check code being typed."""
        await self.sdk.connect(self.data.username, self.data.password)
        wish = Wish(mechanism="HT-SHA-256-NONE")
        assert await fast_tokens.sign_in(self.stage.ports, self.data.session_id, CLIENT, wish) is not None
        await self._approve()
        assert set((await self.artefacts()).values()) == {True}

    async def _approve(self) -> None:
        ports = self.stage.ports
        caller = Caller(self.stage.known.app, Environment.SANDBOX, is_backend=False)
        identity = await tokens.authenticate(ports, caller, self.data.token)
        key = ECKey.generate_key("P-256")
        public, challenge = await qr_browser.greet(ports, caller, None, "", key.as_dict(private=False))
        nonce = jwe.decrypt_compact(challenge.jwe, key, algorithms=["ECDH-ES", "A256GCM"]).plaintext
        assert nonce is not None
        qr_browser.check_proof(challenge, nonce.decode())
        opened = await qr_browser.open_link(ports, caller, public, Device("", "Firefox", "Linux", ""), "socket")
        self.link_id = opened.codes.link.id
        await qr_phone.scan(ports, identity, opened.codes.code, "")
        await qr_phone.approve(ports, identity, self.link_id, str(key.thumbprint()), "")

    async def artefacts(self) -> dict[str, bool]:
        """Which of them still work. Tokens are shown in an order that uses none of them up."""
        stage, data, jid = self.stage, self.data, self.data.user_jid
        found = await stage.ports.fast_tokens.lookup(jid, CLIENT)
        link = await qr_browser.look(stage.ports, self.link_id)
        credentials = {"username": data.username, "password": data.password}
        return {
            "stream": self.is_streaming(),
            "password": await stage.code("POST", "/tokens", **credentials) == "",
            "access token": await stage.code("GET", "/profile", data.token) == "",
            "refresh token": await stage.ports.tokens.lookup(_digest(data.refresh_token)) is not None,
            "token for the next sign-in": found is not None and any(each == data.session_id for each, _ in found[1]),
            "approval": link is not None and link.state is State.APPROVED,
        }

    def is_streaming(self) -> bool:
        resources = self.stage.node.engine.router.resources(self.data.user_jid)
        return any(each.session_id == self.data.session_id for each in resources)

    async def is_cut_off(self) -> None:
        """Wait until the server has closed the stream."""
        async with asyncio.timeout(PATIENCE_S):
            while self.is_streaming():
                await self.stage.http.get("/livez")  # the node's loop goes on meanwhile


def _digest(token: str) -> bytes:
    return opaque.digest(token)


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("node"), http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1
    )
    async with run_node(settings) as node, AsyncExitStack() as stack:
        known = await apps.create(node.ports, "Chat", "localhost", "sandbox.localhost")
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=node.public_url, timeout=PATIENCE_S))
        secret = known.keys[KeyKind.SECRET, Environment.SANDBOX]
        backend = await stack.enter_async_context(Backend(node.public_url, secret))
        yield Stage(node, known, http, backend, stack)


# --------------------------------------------------------------------------------------------------------- transitions

Transition = Callable[[Victim, SDK], Awaitable[object]]
"""Ends the victim's session; the second is another device of the same user."""


async def log_out(victim: Victim, _other: SDK) -> None:
    await victim.sdk.logout()


async def end_from_another_device(victim: Victim, other: SDK) -> None:
    await other.logout_session(victim.data.session_id)


async def end_all_others(_victim: Victim, other: SDK) -> None:
    await other.logout_other_sessions()


async def end_all_web(_victim: Victim, other: SDK) -> None:
    await other.logout_web_sessions()


async def evict(victim: Victim, _other: SDK) -> None:
    await victim.stage.backend.set_max_sessions(victim.data.username, 1)
    await victim.stage.backend.register(victim.data.username)


async def replace_session(victim: Victim, _other: SDK) -> None:
    newcomer = await victim.stage.device()
    await newcomer.register(victim.data.username, replace_session=victim.data.session_id)


async def block(victim: Victim, _other: SDK) -> None:
    await victim.stage.backend.block_user(victim.data.username)


async def delete_by_the_app(victim: Victim, _other: SDK) -> None:
    await victim.stage.backend.delete_user(victim.data.username)


async def delete_by_the_user(_victim: Victim, other: SDK) -> None:
    await other.delete_my_account("moving")


async def sign_out_everywhere(victim: Victim, _other: SDK) -> None:
    await victim.stage.backend.logout_everywhere(victim.data.username)


async def end_by_the_app(victim: Victim, _other: SDK) -> None:
    await victim.stage.backend.logout_session(victim.data.username, victim.data.session_id)


async def revoke_the_access_token(victim: Victim, _other: SDK) -> None:
    await victim.stage.revoke(victim.data.token)


async def revoke_the_refresh_token(victim: Victim, _other: SDK) -> None:
    await victim.stage.revoke(victim.data.refresh_token)


async def use_a_refresh_token_again(victim: Victim, _other: SDK) -> None:
    shown = {"refreshToken": victim.data.refresh_token}
    assert [await victim.stage.code("POST", "/tokens/refresh", **shown) for _ in range(3)] == ["", "", "token_revoked"]


async def expire(victim: Victim, _other: SDK) -> None:
    """The sandbox user's time is over, as the sweep finds out a month later."""

    class Later:
        def now(self) -> float:
            return victim.stage.ports.clock.now() + 31 * 86400

    await accounts.delete_expired(replace(victim.stage.ports, clock=Later()))


def _caller(victim: Victim) -> Caller:
    return Caller(victim.stage.known.app, Environment.SANDBOX, is_backend=False)


TRANSITIONS: tuple[Transition, ...] = (
    log_out,
    end_from_another_device,
    end_all_others,
    end_all_web,
    evict,
    replace_session,
    block,
    delete_by_the_app,
    delete_by_the_user,
    sign_out_everywhere,
    end_by_the_app,
    revoke_the_access_token,
    revoke_the_refresh_token,
    use_a_refresh_token_again,
    expire,
)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda each: each.__name__)
async def test_a_transition_cuts_all_that_belongs_to_the_session(stage: Stage, transition: Transition) -> None:
    user = transition.__name__.replace("_", "-")
    sdk, other = await stage.device(), await stage.device()
    victim = Victim(stage, sdk, (await sdk.register(user)).data)
    await other.register(user)
    await victim.gather()
    events = sdk.events()
    await transition(victim, other)
    await victim.is_cut_off()
    assert await victim.artefacts() == dict.fromkeys(await victim.artefacts(), False)
    async with asyncio.timeout(PATIENCE_S):
        async for event in events:
            if isinstance(event, ConnectionUpdate) and event.status in ("LOGOUT", "AUTHENTICATIONFAILED"):
                break


async def test_the_users_other_devices_are_told_of_a_re_used_token(stage: Stage) -> None:
    sdk, other = await stage.device(), await stage.device()
    victim = Victim(stage, sdk, (await sdk.register("robbed")).data)
    data = (await other.register("robbed")).data
    await other.connect(data.username, data.password)
    events = other.events()
    await use_a_refresh_token_again(victim, other)
    async with asyncio.timeout(PATIENCE_S):
        async for event in events:
            if isinstance(event, SessionEnded):
                assert (event.session_id, event.reason) == (victim.data.session_id, "token_reused")
                assert event.browser == "Firefox"
                return


async def test_a_rotation_voids_the_pair_that_it_replaces_and_leaves_the_rest(stage: Stage) -> None:
    sdk = await stage.device()
    victim = Victim(stage, sdk, (await sdk.register("rotated")).data)
    await victim.gather()
    pair = await tokens.refresh(stage.ports, _caller(victim), victim.data.refresh_token)
    record = (await stage.ports.tokens.lookup(_digest(victim.data.token)) or (None, None, None))[2]
    assert record is not None
    assert record.expires_at <= stage.ports.clock.now() + 60
    assert await stage.code("GET", "/profile", pair.access_token) == ""
    kept = await victim.artefacts()
    assert kept["stream"]
    assert kept["password"]
    assert kept["approval"]


async def test_a_repeated_registration_cuts_what_the_lost_answer_gave(stage: Stage) -> None:
    sdk = await stage.device()
    victim = Victim(stage, sdk, (await sdk.register("repeated", idempotency_key="one")).data)
    await victim.gather()
    other: Any = await stage.device()
    assert (await other.register("repeated", idempotency_key="one")).data.session_id == victim.data.session_id
    await victim.is_cut_off()
    left = {name for name, works in (await victim.artefacts()).items() if works}
    assert left == {"approval"}  # it is of the session, which goes on
