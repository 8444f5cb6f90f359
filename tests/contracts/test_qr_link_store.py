"""The contract of `QrLinkStore`, over every adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core.apps import App, Environment
from heliograph.core.audit import Kind
from heliograph.core.ports import QrLinkStore
from heliograph.core.qr_login import Approval, Code, CodeTaken, Event, QrLink, State, step
from heliograph.core.sessions import Device
from heliograph.errors import AlreadyUsed

NOW = 1_800_000_000.0


@pytest.fixture
def links(stores: Any, app: App) -> QrLinkStore:
    """The store of links over every database in turn, in which the app is."""
    return stores.qr_links


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
    assert await links.forget(NOW + 3, NOW + 9, 1) == 1
    assert await links.lookup("lnk_1") is None
    assert await links.forget(NOW + 3, NOW + 9, 10) == 1
    assert await links.lookup_code(code("code 2").hash) is None
    assert await links.lookup("lnk_3") is not None
    assert await links.forget(NOW + 3, NOW + 9, 10) == 0


async def test_a_links_time_follows_its_changes(links: QrLinkStore) -> None:
    await links.add(link())
    change: Callable[[QrLink], QrLink] = lambda found: replace(found, expires_at=NOW + 5)  # noqa: E731
    await links.change("lnk_1", change)
    assert await links.forget(NOW + 6, NOW + 9, 10) == 1


SIGNED_IN = Approval("", 3, force=True, replace_session=None)


def verified(session_id: str, name: str = "lnk_1", **changes: object) -> QrLink:
    """A link that waits for the delivery of its session."""
    return link(name, state=State.VERIFIED, approval=SIGNED_IN, linked_session_id=session_id, **changes)


async def test_a_verified_link_whose_time_is_over_is_unclaimed_until_it_is_over(links: QrLinkStore) -> None:
    await links.add(verified("ses_late", "lnk_late", expires_at=NOW + 2))
    await links.add(verified("ses_early", "lnk_early", expires_at=NOW + 1))
    await links.add(verified("ses_now", "lnk_now", expires_at=NOW + 9))
    await links.add(link("lnk_waiting", expires_at=NOW + 1))
    assert await links.unclaimed(NOW + 2, 10) == ["lnk_early", "lnk_late"]
    assert await links.unclaimed(NOW + 2, 1) == ["lnk_early"]
    await links.change("lnk_early", lambda found: step(found, Event.EXPIRE, NOW + 2))
    assert await links.unclaimed(NOW + 2, 10) == ["lnk_late"]
    await links.change("lnk_now", lambda found: step(found, Event.DELIVER, NOW + 2))
    assert await links.unclaimed(NOW + 99, 10) == ["lnk_late"]


@pytest.mark.parametrize("ending", [Event.EXPIRE, Event.DENY, Event.CANCEL, Event.FAIL])
async def test_a_link_that_is_over_takes_its_session_along(links: QrLinkStore, registrar: Any, ending: Event) -> None:
    made = await registrar.register("ada@chat.example")
    await links.add(verified(made.session.id))
    await links.change("lnk_1", lambda found: step(found, ending, NOW + 3))
    assert await registrar.stores.sessions.lookup(made.session.id) is None
    events = [entry.event for entry in await registrar.stores.audit.chain("app_1", 0, 100)]
    (ended,) = [event for event in events if event.kind is Kind.SESSION_ENDED]
    assert (ended.session_id, ended.facts, ended.at) == (made.session.id, {"reason": "unclaimed"}, NOW + 3)


async def test_a_delivered_link_leaves_its_session(links: QrLinkStore, registrar: Any) -> None:
    made = await registrar.register("ada@chat.example")
    await links.add(verified(made.session.id))
    await links.change("lnk_1", lambda found: step(found, Event.DELIVER, NOW + 3))
    assert await links.forget(NOW + 4, NOW + 9, 10) == 1
    assert await registrar.stores.sessions.lookup(made.session.id) is not None


async def test_what_was_made_for_a_link_that_was_over_already_ends_as_it_is_forgotten(
    links: QrLinkStore, registrar: Any
) -> None:
    await links.add(replace(verified("ses_1"), state=State.DENIED, expires_at=NOW))
    made = await registrar.register("ada@chat.example")
    assert await links.forget(NOW + 1, NOW + 9, 10) == 1
    assert await registrar.stores.sessions.lookup(made.session.id) is None
