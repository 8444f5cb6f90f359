"""Every conversation script, played on a running node: each byte in its own time, and all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from places import Place
from player import Player
from script import Script, read

SCRIPTS = [read(path) for path in sorted(Path(__file__).parent.rglob("*.xmpp"))]


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
async def test_conversation(place: Place, script: Script) -> None:
    assert script.specifications, "the first comment names the RFC or the XEP"
    for is_bytewise in (False, True):
        await Player(place, script, is_bytewise=is_bytewise).play()
        place.hang_up()
