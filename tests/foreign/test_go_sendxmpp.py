"""go-sendxmpp, a client for scripts: it sends what it reads, or prints what comes."""

from __future__ import annotations

import re
from typing import Any

import pytest

import needs


@pytest.fixture(scope="module")
def go_sendxmpp() -> str:
    return needs.xmpp_client("go-sendxmpp")


def command(friends: Any, program: str, *, is_direct_tls: bool) -> tuple[list[str], dict[str, str]]:
    """How it is called for Ada, and the environment in which it trusts the node's certificate."""
    node = friends.place.node
    address = f"127.0.0.1:{node.xmpps_port if is_direct_tls else node.xmpp_port}"
    called = [program, "-u", friends.ada.jid, "-p", friends.ada.password, "-j", address]
    return [*called, *(["-t"] if is_direct_tls else [])], {"SSL_CERT_FILE": str(node.certificate_file)}


@pytest.mark.parametrize("is_direct_tls", [False, True], ids=["STARTTLS", "direct TLS"])
async def test_what_it_reads_is_sent(friends: Any, run: Any, go_sendxmpp: str, is_direct_tls: bool) -> None:
    called, environment = command(friends, go_sendxmpp, is_direct_tls=is_direct_tls)
    client = await run(*called, friends.bob.bare, **environment)
    await client.says("The ridge is clear \u2600")
    assert await client.ends() == (0, "")
    assert (await friends.heard_by_bob()).strip() == "The ridge is clear \u2600"


async def test_what_comes_is_printed(friends: Any, run: Any, go_sendxmpp: str) -> None:
    called, environment = command(friends, go_sendxmpp, is_direct_tls=False)
    client = await run(*called, "-l", **environment)
    await friends.bob.gets("presence", type=None)
    await friends.bob_says("I see it")
    await client.tells(rf"\S+ {re.escape(friends.bob.bare)}: I see it")
