"""Connecting: over TLS or not at all, once, and with an outcome that says why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import trustme

from heliograph.errors import (
    AdminBlocked,
    AlreadyConnected,
    AuthenticationFailed,
    TimedOut,
    Unreachable,
)
from heliograph.sdk.events import AdminBlockUpdate
from heliograph.sdk.states import Trigger
from heliograph.sdk.stream import Credentials
from heliograph.sdk.transport import Target
from patience import PATIENCE_S

ADA = Credentials("ada", "chat.test", "secret")
BOB = Credentials("bob", "chat.test", "secret")


@pytest.mark.parametrize("is_direct_tls", [True, False])
async def test_it_connects_over_tls(server: Any, new_client: Any, is_direct_tls: bool) -> None:
    await server.listen(is_direct_tls=is_direct_tls)
    client = new_client(is_direct_tls=is_direct_tls)
    await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    peer = await server.peers.get()
    said = "".join(peer.heard)
    assert said.count("<starttls") == (0 if is_direct_tls else 1)
    assert "jabber:iq:roster" in said
    assert "http://jabber.org/protocol/caps" in said
    await client.connection.stop(Trigger.CLOSE)
    assert (await peer.gone()).endswith("</stream:stream>")
    assert client.statuses == ["CONNECTING", "CONNECTED", "DISCONNECTED"]


async def test_a_closed_port_gives_way_to_the_next(server: Any, new_client: Any, free_ports: Any) -> None:
    await server.listen()
    targets = (Target("localhost", *free_ports(1), True), Target("localhost", server.port, False))
    client = new_client(targets=targets)
    await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "CONNECTED"]


@pytest.mark.parametrize("is_direct_tls", [True, False])
async def test_a_server_with_a_strangers_certificate_never_sees_the_password(
    server: Any, new_client: Any, is_direct_tls: bool
) -> None:
    await server.listen(is_direct_tls=is_direct_tls)
    client = new_client(trusted=trustme.CA(), is_direct_tls=is_direct_tls)
    with pytest.raises(Unreachable, match="certificate"):
        await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "CONNECTIONFAILED"]
    assert server.peers.empty()


async def test_a_certificate_for_another_host_is_not_trusted(server: Any, new_client: Any) -> None:
    await server.listen()
    client = new_client(targets=(Target("127.0.0.1", server.port, False),))
    with pytest.raises(Unreachable, match="certificate"):
        await client.connection.connect(ADA)


async def test_a_server_without_tls_never_sees_the_password(server: Any, client: Any) -> None:
    server.parts = ["be_insecure"]
    with pytest.raises(Unreachable):
        await client.connection.connect(ADA)
    assert client.statuses == ["CONNECTING", "ERROROCCURED"]
    peer = await server.peers.get()
    assert "<auth" not in "".join(peer.heard)


async def test_a_wrong_password_is_final(server: Any, client: Any) -> None:
    server.parts = ["refuse"]
    with pytest.raises(AuthenticationFailed) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 401
    assert client.statuses == ["CONNECTING", "AUTHENTICATIONFAILED"]
    assert client.reasons == ["authentication_failed"]
    assert client.connection.user_jid is None


async def test_a_blocked_user_is_told_so(server: Any, client: Any) -> None:
    server.parts = [lambda peer: peer.refuse("account-disabled")]
    with pytest.raises(AdminBlocked) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 403
    assert client.reasons == ["admin_blocked"]
    assert client.events[-1] == AdminBlockUpdate(user_id="ada", user_jid="ada@chat.test", is_admin_blocked=True)


async def test_a_first_connection_that_fails_is_not_tried_again(server: Any, new_client: Any) -> None:
    await server.listen()
    await server.stop()
    client = new_client()
    with pytest.raises(Unreachable) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 503
    assert client.statuses == ["CONNECTING", "CONNECTIONFAILED"]
    assert client.connection.user_jid is None
    await server.listen()
    await client.connection.connect(ADA)
    assert client.statuses[2:] == ["CONNECTING", "CONNECTED"]


@pytest.mark.parametrize("part", ["gone", "sign_in"])
async def test_a_server_that_falls_silent_is_a_timeout(server: Any, new_client: Any, part: str) -> None:
    await server.listen()
    server.parts = [part]
    client = new_client(attempt_timeout_s=0.5)
    with pytest.raises(TimedOut) as caught:
        await client.connection.connect(ADA)
    assert caught.value.status_code == 504
    assert client.statuses == ["CONNECTING", "CONNECTIONTIMEOUT"]


async def test_while_connected_the_same_user_changes_nothing_and_another_is_refused(server: Any, client: Any) -> None:
    await asyncio.gather(*(client.connection.connect(ADA) for _ in range(5)))
    await client.connection.connect(Credentials("ada", "chat.test", "another password"))
    with pytest.raises(AlreadyConnected) as caught:
        await client.connection.connect(BOB)
    assert caught.value.status_code == 409
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    assert server.connections == 1


async def test_connect_can_be_cancelled(server: Any, client: Any) -> None:
    reached, left = asyncio.Event(), asyncio.Event()

    async def stall(peer: Any) -> None:
        await peer.sign_in()
        reached.set()
        await peer.gone()
        left.set()

    server.parts = [stall, "be_good"]
    connecting = asyncio.ensure_future(client.connection.connect(ADA))
    await reached.wait()
    connecting.cancel()
    await asyncio.wait((connecting,))
    assert connecting.cancelled()
    await asyncio.wait_for(left.wait(), PATIENCE_S)
    assert client.statuses == ["CONNECTING", "DISCONNECTED"]
    await client.connection.connect(ADA)
    assert client.statuses[2:] == ["CONNECTING", "CONNECTED"]


async def test_stopping_ends_a_connect_that_waits(server: Any, client: Any) -> None:
    server.parts = ["gone"]
    connecting = asyncio.ensure_future(client.connection.connect(ADA))
    await client.until("CONNECTING")
    await client.connection.stop(Trigger.CLOSE)
    with pytest.raises(Unreachable):
        await connecting
    assert client.statuses == ["CONNECTING", "DISCONNECTED"]
