"""What ends a connection, what makes it come back, and what keeps it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.errors import AlreadyConnected
from heliograph.sdk.events import AdminBlockUpdate, ConnectionUpdate, UserDeleted
from heliograph.sdk.states import Trigger
from heliograph.sdk.stream import Credentials
from heliograph.xmpp.session_end import session_ended
from patience import PATIENCE_S

ADA = Credentials("ada", "chat.test", "secret")
BOB = Credentials("bob", "chat.test", "secret")


async def test_a_lost_connection_is_made_again(server: Any, client: Any) -> None:
    await client.connection.connect(ADA)
    for _ in range(3):
        (await server.peers.get()).writer.transport.abort()
        await client.until("DISCONNECTED", "RECONNECTING", "CONNECTED")
        client.events.clear()
    assert server.connections == 4


async def test_it_goes_on_trying_and_counts_the_attempts(server: Any, client: Any) -> None:
    await client.connection.connect(ADA)
    await server.stop()
    await client.until(*("RECONNECTING", "CONNECTIONFAILED") * 3)
    await server.listen()
    await client.until("RECONNECTING", "CONNECTED")
    attempts = [event.attempt for event in client.events if isinstance(event, ConnectionUpdate) and event.attempt]
    assert attempts == list(range(1, len(attempts) + 1))
    assert len(attempts) >= 4


async def test_a_password_that_no_longer_holds_ends_the_trying(server: Any, client: Any) -> None:
    server.parts = ["be_good", "refuse"]
    await client.connection.connect(ADA)
    (await server.peers.get()).writer.transport.abort()
    await client.until("DISCONNECTED", "RECONNECTING", "AUTHENTICATIONFAILED")
    assert client.connection.user_jid is None
    assert server.connections == 2


@pytest.mark.parametrize("reason", ["evicted", "ended_by_user", "logout", "admin_blocked", "account_deleted"])
async def test_a_session_that_the_server_ends_is_over_and_says_why(server: Any, client: Any, reason: str) -> None:
    await client.connection.connect(ADA)
    error = session_ended(reason)
    condition = f"<{error.condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    peer = await server.peers.get()
    peer.say(f"<stream:error>{condition}{error.application}</stream:error></stream:stream>")
    assert (await peer.gone()).endswith("</stream:stream>")
    await client.until("CONNECTED", "LOGOUT")
    assert client.reasons == [reason]
    assert client.ended == [ADA]
    assert client.connection.user_jid is None
    special = {
        "admin_blocked": [AdminBlockUpdate(user_id="ada", user_jid="ada@chat.test", is_admin_blocked=True)],
        "account_deleted": [UserDeleted(user_id="ada", user_jid="ada@chat.test")],
    }
    assert client.events[3:] == special.get(reason, [])


@pytest.mark.parametrize(
    "text", ["<message><body>&bomb;</body></message>", "<message></presence>", "nonsense<message/>"]
)
async def test_a_server_that_breaks_the_protocol_is_left_and_tried_again(server: Any, client: Any, text: str) -> None:
    await client.connection.connect(ADA)
    peer = await server.peers.get()
    peer.say(text)
    assert "<stream:error>" in await peer.gone()
    await client.until("CONNECTED", "ERROROCCURED", "RECONNECTING", "CONNECTED")


async def test_a_server_that_shuts_down_is_tried_again(server: Any, client: Any) -> None:
    await client.connection.connect(ADA)
    condition = "<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    (await server.peers.get()).say(f"<stream:error>{condition}</stream:error></stream:stream>")
    await client.until("CONNECTED", "DISCONNECTED", "RECONNECTING", "CONNECTED")
    assert client.reasons == ["system-shutdown"]


async def test_stopping_ends_the_trying(server: Any, new_client: Any) -> None:
    await server.listen()
    client = new_client(backoff_base_s=3600, backoff_max_s=3600)
    await client.connection.connect(ADA)
    await server.stop()
    await client.until("DISCONNECTED")
    assert client.connection.user_jid == "ada@chat.test"
    with pytest.raises(AlreadyConnected):
        await client.connection.connect(BOB)
    await client.connection.stop(Trigger.SESSION_ENDED, "logout")
    assert client.statuses[-1] == "LOGOUT"
    assert client.connection.user_jid is None


async def test_connect_does_not_wait_for_the_next_attempt(server: Any, new_client: Any) -> None:
    await server.listen()
    client = new_client(backoff_base_s=3600, backoff_max_s=3600)
    await client.connection.connect(ADA)
    (await server.peers.get()).writer.transport.abort()
    await client.until("DISCONNECTED")
    await client.connection.connect(ADA)
    assert client.statuses[-2:] == ["CONNECTING", "CONNECTED"]


async def test_a_server_that_gives_no_sign_of_life_is_given_up(server: Any, new_client: Any) -> None:
    await server.listen()
    client = new_client(ping_after_s=0.05, ping_timeout_s=0.05, backoff_base_s=0.01)
    await client.connection.connect(ADA)
    await client.until("CONNECTED", "DISCONNECTED")
    assert client.reasons[0] == "timeout"
    peer = await server.peers.get()
    assert "urn:xmpp:ping" in await peer.gone()
    await client.until("DISCONNECTED", "RECONNECTING", "CONNECTED")


async def test_a_server_that_answers_pings_is_kept(server: Any, new_client: Any) -> None:
    await server.listen()
    answered = asyncio.Event()

    async def answer_pings(peer: Any) -> None:
        await peer.be_good()
        for number in range(4, 9):
            await peer.until("<ping xmlns='urn:xmpp:ping'/></iq>")
            peer.say(f"<iq type='error' id='h{number}' from='chat.test'><error type='cancel'/></iq>")
        answered.set()

    server.parts = [answer_pings]
    client = new_client(ping_after_s=0.01)
    await client.connection.connect(ADA)
    await asyncio.wait_for(answered.wait(), PATIENCE_S)
    assert client.statuses == ["CONNECTING", "CONNECTED"]
