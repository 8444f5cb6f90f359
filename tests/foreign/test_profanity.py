"""profanity, a client for the terminal, on one.

With HELIOGRAPH_SCREENS=1 its picture in docs/screens is taken again (`make screens`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import needs
from terminals import FONT, on_a_terminal

SCREENS = Path(__file__).parents[2] / "docs" / "screens"
IS_PHOTOGRAPHED = os.environ.get("HELIOGRAPH_SCREENS") == "1"


@pytest.fixture(scope="module")
def profanity() -> str:
    return needs.xmpp_client("profanity")


def settle_in(home: Path, friends: Any) -> None:
    """Write what profanity keeps of an account, so that it signs in by itself."""
    data = home / ".local" / "share" / "profanity"
    data.mkdir(parents=True)
    jid, node = friends.ada.jid, friends.place.node
    account = {
        "enabled": "true",
        "jid": jid,
        "password": friends.ada.password,
        "server": "127.0.0.1",
        "port": str(node.xmpp_port),
        "tls.policy": "force",
        "resource": "terminal",
    }
    (data / "accounts").write_text("\n".join((f"[{jid}]", *(f"{key}={value}" for key, value in account.items()), "")))


async def test_a_person_signs_in_sees_who_is_there_and_chats(friends: Any, profanity: str, tmp_path: Path) -> None:
    bob = friends.bob
    settle_in(tmp_path, friends)
    environment = {"HOME": str(tmp_path), "SSL_CERT_FILE": str(friends.place.node.certificate_file)}
    async with on_a_terminal(profanity, "-a", friends.ada.jid, **environment) as terminal:
        await terminal.shows("logged in successfully")
        await terminal.shows(bob.bare[:20])
        terminal.type(f"/msg {bob.bare} Can you see the ridge?")
        assert await friends.heard_by_bob() == "Can you see the ridge?"
        await friends.bob_says("I am on it.")
        await terminal.shows("I am on it.")
        if IS_PHOTOGRAPHED and FONT.is_file():
            terminal.picture().save(SCREENS / "profanity.webp", quality=82, method=6)
        await bob.send("<presence type='unavailable'/>")
        await terminal.shows(f"{bob.bare} [offline]")
