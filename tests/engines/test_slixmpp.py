"""A client of another make: the example that uses slixmpp, as it stands, against a running node."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from patience import PATIENCE_S

EXAMPLE = Path(__file__).parents[2] / "examples" / "slixmpp_client.py"


async def line(example: asyncio.subprocess.Process) -> str:
    """The next line that the example prints."""
    assert example.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        text = (await example.stdout.readline()).decode()
    if not text:
        assert example.stderr is not None
        raise AssertionError((await example.stderr.read()).decode())
    return text.rstrip("\n")


@pytest.mark.parametrize("is_direct_tls", [False, True], ids=["STARTTLS", "direct TLS"])
async def test_slixmpp_sees_its_roster_and_the_profiles_of_its_contacts(
    place: Any, join: Any, is_direct_tls: bool
) -> None:
    bob = await join("bob")
    await place.call("PATCH", "/profile", bob.account, {"nickName": "Bob"})
    account = await place.register(place.name("ada"))
    await place.call("PUT", f"/contacts/{bob.account.username}", account)
    await bob.so_far()
    port = place.node.xmpps_port if is_direct_tls else place.node.xmpp_port
    example = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLE,
        "127.0.0.1",
        str(port),
        *(["--direct-tls"] if is_direct_tls else []),
        env={
            **os.environ,
            "XMPP_JID": account.jid,
            "XMPP_PASSWORD": account.password,
            "HELIOGRAPH_CA_FILE": str(place.node.certificate_file),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert await line(example) == f"Contacts: {bob.bare}"
        assert await line(example) == f"{bob.bare} is Bob"
        await place.call("PATCH", "/profile", bob.account, {"nickName": "Bob \u2600"})
        assert await line(example) == f"{bob.bare} is Bob \u2600"
        came = await bob.gets("presence", type=None)
        assert (came.get("from") or "").startswith(account.jid)
        await place.call("DELETE", "/sessions/current", account)
        await bob.gets("presence", type="unavailable")
        async with asyncio.timeout(PATIENCE_S):
            _, errors = await example.communicate()
        assert (example.returncode, errors) == (0, b"")
    finally:
        if example.returncode is None:
            example.kill()
            await example.wait()
