"""Webhooks over real sockets: from a change in a node to an app's backend."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from heliograph.core import accounts, apps, limits, profiles, sessions, webhooks
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Environment, NewApp
from heliograph.core.profiles import ProfileChange
from heliograph.core.sessions import EndReason
from heliograph.core.webhooks import Webhook
from heliograph.node import Node, open_ports, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S
from postgres_server import empty_database

CHILD = Path(__file__).with_name("registering_child.py")


def settings(folder: Path) -> Settings:
    return Settings(
        data_dir=folder,
        http_port=0,
        xmpp_port=0,
        xmpps_port=0,
        drain_timeout_s=1,
        webhook_networks=("127.0.0.0/8",),
    )


@pytest.fixture(params=["sqlite", "postgres"])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Node]:
    async with AsyncExitStack() as stack:
        mine = settings(tmp_path)
        if request.param == "postgres":
            url = await stack.enter_async_context(empty_database(request.getfixturevalue("postgres_url")))
            mine = mine.model_copy(update={"database_url": SecretStr(url)})
        yield await stack.enter_async_context(run_node(mine))


@pytest.fixture
async def known(node: Node) -> NewApp:
    return await apps.create(node.ports, "Chat", "localhost")


@pytest.fixture
async def webhook(node: Node, known: NewApp, receiver: Any) -> Webhook:
    made, receiver.secret = await webhooks.add(
        node.ports, known.app, Environment.SANDBOX, receiver.url, (), allows_private=True
    )
    return made


@pytest.fixture
def trial(known: NewApp) -> Caller:
    return Caller(known.app, Environment.SANDBOX, is_backend=False)


@pytest.fixture
def brief_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_RETRY_S", 0.01)
    monkeypatch.setattr(limits, "WEBHOOK_RETRY_MAX_S", 0.02)


async def test_a_users_life_is_told_in_order_and_signed(
    node: Node, webhook: Webhook, receiver: Any, trial: Caller
) -> None:
    made = await accounts.register(node.ports, trial, RegisterRequest("ada"))
    await profiles.set_profile(node.ports, made.account.jid, ProfileChange(name="Ada", email="ada@example.org"))
    await sessions.end(node.ports, made.account, made.session.id, EndReason.LOGOUT)
    await accounts.delete(node.ports, made.account)
    await receiver.until(5)
    assert receiver.types == [
        "user.registered",
        "session.created",
        "profile.updated",
        "session.ended",
        "user.deleted",
    ]
    assert all(message["data"]["userJid"] == "ada@sandbox.localhost" for message in receiver.taken)
    assert receiver.taken[2]["data"]["changed"] == ["nickName", "email"]
    assert receiver.taken[3]["data"]["reason"] == "logout"
    assert len(set(receiver.tried)) == 5


async def test_what_fails_comes_again_with_the_same_id_and_the_rest_behind_it(
    node: Node, webhook: Webhook, receiver: Any, trial: Caller, brief_pauses: None
) -> None:
    receiver.answers = [500, 503]
    await accounts.register(node.ports, trial, RegisterRequest("ada"))
    await receiver.until(2)
    assert receiver.types == ["user.registered", "session.created"]
    assert len(receiver.tried) == 4
    assert len(set(receiver.tried)) == 2
    assert receiver.tried[:3] == [receiver.tried[0]] * 3


async def test_a_redirect_is_not_followed_and_counts_as_failed(
    node: Node, webhook: Webhook, receiver: Any, trial: Caller, brief_pauses: None
) -> None:
    receiver.answers, receiver.headers = [307], {"location": receiver.url}
    await accounts.register(node.ports, trial, RegisterRequest("ada"))
    await receiver.until(2)
    assert len(receiver.tried) == 3


async def until(look: Callable[[], Any]) -> Any:
    """What a look into the store gives, once it is true."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.02)
    return found


async def test_a_receiver_that_is_gone_makes_dead_letters_that_can_be_replayed(
    node: Node, webhook: Webhook, receiver: Any, trial: Caller
) -> None:
    receiver.answers = [410, 410]
    await accounts.register(node.ports, trial, RegisterRequest("ada"))
    await receiver.until(2, tried=True)

    async def both() -> Any:
        dead = await node.ports.webhooks.dead(webhook.id, 10)
        return dead if len(dead) == 2 else None

    dead = await until(both)
    assert dead[0].problem == "The receiver answered with status 410"
    assert await node.ports.webhooks.replay(webhook.id, None, node.ports.clock.now()) == 2
    await receiver.until(2)
    assert receiver.tried[2:] == receiver.tried[:2]


async def test_a_slow_receiver_holds_up_no_other(
    node: Node, webhook: Webhook, receiver: Any, known: NewApp, trial: Caller
) -> None:
    silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with silent:
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
        await webhooks.add(node.ports, known.app, Environment.SANDBOX, url, (), allows_private=True)
        await accounts.register(node.ports, trial, RegisterRequest("ada"))
        await receiver.until(2)
        await accounts.register(node.ports, trial, RegisterRequest("bob"))
        await receiver.until(4)


async def test_a_node_that_stops_leaves_what_it_was_sending_to_the_next_one_at_once(
    tmp_path: Path, receiver: Any
) -> None:
    asked = asyncio.Event()
    silent = await asyncio.start_server(lambda _reader, _writer: asked.set(), "127.0.0.1", 0)
    async with silent, run_node(settings(tmp_path)) as node:
        known = await apps.create(node.ports, "Chat", "localhost")
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
        await webhooks.add(node.ports, known.app, Environment.SANDBOX, url, (), allows_private=True)
        await accounts.register(node.ports, Caller(known.app, Environment.SANDBOX, False), RegisterRequest("ada"))
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
    async with open_ports(settings(tmp_path)) as ports:
        now = ports.clock.now()
        [batch] = await ports.webhooks.take(now, now + 1, 16)
    assert [(message.kind, message.attempts) for message in batch.messages] == [
        ("user.registered", 0),
        ("session.created", 0),
    ]


async def test_an_address_inside_the_network_is_never_called(tmp_path: Path, receiver: Any) -> None:
    closed = settings(tmp_path).model_copy(update={"webhook_networks": ()})
    async with run_node(closed) as node:
        known = await apps.create(node.ports, "Chat", "localhost")
        await webhooks.add(node.ports, known.app, Environment.SANDBOX, receiver.url, (), allows_private=True)
        await accounts.register(node.ports, Caller(known.app, Environment.SANDBOX, False), RegisterRequest("ada"))

        async def tried() -> bool:
            [batch] = await node.ports.webhooks.take(node.ports.clock.now() + 1000, 0, 1)
            return batch.messages[0].attempts > 0 and batch.messages[0].problem.startswith("The address")

        await until(tried)
    assert receiver.tried == []


async def test_what_was_committed_before_a_kill_is_delivered_after_the_next_start(
    tmp_path: Path, receiver: Any
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(run_node(settings(tmp_path)))
        known = await apps.create(first.ports, "Chat", "localhost")
        _, receiver.secret = await webhooks.add(
            first.ports, known.app, Environment.SANDBOX, receiver.url, (), allows_private=True
        )
    child = await asyncio.create_subprocess_exec(
        sys.executable, CHILD, tmp_path, known.app.id, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    session_id = (await asyncio.wait_for(child.stdout.readline(), PATIENCE_S)).decode().strip()
    child.kill()
    await child.wait()
    assert receiver.tried == []
    async with run_node(settings(tmp_path)):
        await receiver.until(2)
    assert receiver.types == ["user.registered", "session.created"]
    assert receiver.taken[1]["data"]["sessionId"] == session_id
