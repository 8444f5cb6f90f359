"""The contract of `QrLinkStore`, over every adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heliograph.core.apps import App, Environment
from heliograph.core.ports import QrLinkStore
from heliograph.core.qr_login import Approval, Code, CodeTaken, Event, QrLink, State, step
from heliograph.core.sessions import Device
from heliograph.errors import AlreadyUsed

NOW = 1_800_000_000.0


@pytest.fixture(params=["sqlite", "postgres"])
async def links(request: pytest.FixtureRequest, tmp_path: Path, open_database: Any):  # type: ignore[no-untyped-def]
    """Empty stores over every database in turn, in which the app is."""
    async with open_database(request, tmp_path) as opened:
        await opened.apps.add(App("app_1", "Chat", "chat.example", "sandbox.chat.example", "{}", NOW), [])
        yield opened.qr_links


def code(name: str, *, is_typed: bool = False) -> Code:
    return Code(name.encode().ljust(32), is_typed, NOW + 60)


def link(name: str = "lnk_1", *codes: Code, **changes: object) -> QrLink:
    made = QrLink(
        id=name,
        app_id="app_1",
        environment=Environment.SANDBOX,
        public_key='{"kty":"EC"}',
        key_hash="thumbprint",
        device=Device("Büro", "Firefox", "Linux", "192.0.2.1"),
        resume_hash=bytes(range(32)),
        holder="socket",
        created_at=NOW,
        refresh_at=NOW + 25.125,
        expires_at=NOW + 600,
        codes=codes,
        codes_issued=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_link_comes_back_as_it_was_stored(links: QrLinkStore) -> None:
    full = link(
        "lnk_1",
        code("one"),
        code("two", is_typed=True),
        state=State.VERIFIED,
        session_id="ses_1",
        jid="ada@sandbox.chat.example",
        needs_key_hash=False,
        approval=Approval("07", 2, force=False, replace_session="ses_2"),
        failure="key_mismatch",
        sealed="a.b.c.d.e",
    )
    await links.add(full)
    assert await links.lookup("lnk_1") == full
    assert await links.lookup_code(full.codes[1].hash) == full


async def test_what_is_not_there_is_none(links: QrLinkStore) -> None:
    assert await links.lookup("lnk_1") is None
    assert await links.lookup_code(b"x" * 32) is None
    assert await links.change("lnk_1", lambda found: found) is None


async def test_a_change_is_written_and_comes_back(links: QrLinkStore) -> None:
    await links.add(link())
    changed = await links.change("lnk_1", lambda found: step(found, Event.SCAN, NOW))
    assert changed is not None
    assert changed.state is State.SCANNED
    assert await links.lookup("lnk_1") == changed


async def test_codes_come_and_go_with_the_link(links: QrLinkStore) -> None:
    first, second, third = code("one"), code("two"), code("three")
    await links.add(link("lnk_1", first, second))
    await links.change("lnk_1", lambda found: replace(found, codes=(second, third)))
    assert await links.lookup_code(first.hash) is None
    for known in (second, third):
        found = await links.lookup_code(known.hash)
        assert found is not None
        assert found.codes == (second, third)


async def test_a_code_belongs_to_one_link(links: QrLinkStore) -> None:
    await links.add(link("lnk_1", code("one")))
    with pytest.raises(CodeTaken):
        await links.add(link("lnk_2", code("other"), code("one")))
    assert await links.lookup("lnk_2") is None
    await links.add(link("lnk_2", code("other")))
    with pytest.raises(CodeTaken):
        await links.change("lnk_2", lambda found: replace(found, codes=(code("one"),), codes_issued=9))
    assert await links.lookup("lnk_2") == link("lnk_2", code("other"))


async def test_a_decision_that_raises_writes_nothing(links: QrLinkStore) -> None:
    await links.add(link())

    def refuse(found: QrLink) -> QrLink:
        raise AlreadyUsed

    with pytest.raises(AlreadyUsed):
        await links.change("lnk_1", refuse)
    assert await links.lookup("lnk_1") == link()


async def test_of_decisions_at_once_each_sees_the_one_before(links: QrLinkStore) -> None:
    await links.add(link())

    def count(found: QrLink) -> QrLink:
        return replace(found, codes_issued=found.codes_issued + 1)

    await asyncio.gather(*(links.change("lnk_1", count) for _ in range(50)))
    found = await links.lookup("lnk_1")
    assert found is not None
    assert found.codes_issued == 51


async def test_links_are_forgotten_with_their_codes_oldest_first(links: QrLinkStore) -> None:
    for number in (1, 2, 3):
        await links.add(link(f"lnk_{number}", code(f"code {number}"), expires_at=NOW + number))
    assert await links.forget(NOW + 3, 1) == 1
    assert await links.lookup("lnk_1") is None
    assert await links.forget(NOW + 3, 10) == 1
    assert await links.lookup_code(code("code 2").hash) is None
    assert await links.lookup("lnk_3") is not None
    assert await links.forget(NOW + 3, 10) == 0


async def test_a_links_time_follows_its_changes(links: QrLinkStore) -> None:
    await links.add(link())
    change: Callable[[QrLink], QrLink] = lambda found: replace(found, expires_at=NOW + 5)  # noqa: E731
    await links.change("lnk_1", change)
    assert await links.forget(NOW + 6, 10) == 1
