"""Clients of other makes from npm, in Node: strophe.js, @xmpp/client and stanza."""

from __future__ import annotations

from typing import Any

import pytest


def services(friends: Any) -> dict[str, str]:
    node = friends.place.node
    return {
        "WebSocket": friends.websocket,
        "STARTTLS": f"xmpp://127.0.0.1:{node.xmpp_port}",
        "direct TLS": f"xmpps://127.0.0.1:{node.xmpps_port}",
    }


@pytest.mark.parametrize(
    ("program", "transport"),
    [
        ("strophe", "WebSocket"),
        ("stanza", "WebSocket"),
        ("xmpp_client", "WebSocket"),
        ("xmpp_client", "STARTTLS"),
        ("xmpp_client", "direct TLS"),
    ],
)
async def test_it_signs_in_talks_and_sees_who_is_there_and_a_new_name(
    friends: Any, program_of: Any, program: str, transport: str
) -> None:
    bob = friends.bob
    client = await program_of(friends.ada, program, services(friends)[transport])
    await client.tells(f"contact {bob.bare}")
    await client.tells(f"present {bob.bare}")
    await client.tells(f"named {bob.bare} Bob")
    await client.says(f"{bob.bare} Good morning \u2600 <&>")
    assert await friends.heard_by_bob() == "Good morning \u2600 <&>"
    await friends.bob_says("And to you")
    await client.tells(f"message {bob.bare} And to you")
    await friends.rename_bob("Bob \u2600")
    await client.tells(f"named {bob.bare} Bob \u2600")
