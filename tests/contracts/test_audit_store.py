"""The contract of `AuditStore`, over every adapter: every store writes to it in the transaction of its own change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import audit
from heliograph.core.apps import App, Environment, Policy
from heliograph.core.audit import Kind
from heliograph.core.sessions import EndReason

NOW = 1_800_000_000.0
DAY_S = 86_400.0
ADA, BOB = "ada@chat.example", "bob@chat.example"
EVER = 2**62


async def kinds(stores: Any, app: App) -> list[Kind]:
    return [entry.event.kind for entry in await stores.audit.chain(app.id, 0, 1000)]


async def test_an_app_and_its_policy_are_told(stores: Any, app: App) -> None:
    await stores.apps.set_policy(replace(app, policy=Policy(max_sessions=2)), NOW + 1)
    await stores.apps.set_policy(replace(app, policy=Policy(max_sessions=2)), NOW + 2)
    created, changed = await stores.audit.chain(app.id, 0, 1000)
    assert (created.event.kind, created.event.at, created.number) == (Kind.APP_CREATED, NOW, 1)
    assert (changed.event.kind, changed.event.facts) == (Kind.APP_POLICY_CHANGED, {"changed": ["max_sessions"]})


async def test_a_registration_tells_of_the_user_of_sessions_that_go_and_of_the_new_one(
    stores: Any, app: App, registrar: Any
) -> None:
    first = await registrar.register(ADA, cap=1)
    second = await registrar.register(ADA, cap=1)
    found = [entry.event for entry in await stores.audit.chain(app.id, 1, 1000)]
    assert [event.kind for event in found] == [
        Kind.USER_REGISTERED,
        Kind.SESSION_CREATED,
        Kind.SESSION_ENDED,
        Kind.SESSION_CREATED,
    ]
    assert [event.session_id for event in found] == ["", first.session.id, first.session.id, second.session.id]
    assert found[2].facts == {"reason": "evicted"}
    assert found[1].facts["ip"] == "192.0.2.1"
    assert {event.owner.jid for event in found} == {ADA}


async def test_a_registration_that_fails_tells_nothing(stores: Any, app: App, registrar: Any) -> None:
    def refuse(_standing: Any) -> Any:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await stores.accounts.register(ADA, refuse)
    assert await kinds(stores, app) == [Kind.APP_CREATED]


async def test_sessions_that_end_are_told_once(stores: Any, app: App, registrar: Any) -> None:
    made = await registrar.register(ADA)
    for _ in range(2):
        await stores.sessions.end(made.account.id, [made.session.id], EndReason.LOGOUT, NOW + 5)
    *_, last = await stores.audit.chain(app.id, 3, 1000)
    assert (last.number, last.event.at, last.event.facts) == (4, NOW + 5, {"reason": "logout"})


async def test_old_entries_go_and_the_chain_says_so_and_stays_whole(stores: Any, app: App, registrar: Any) -> None:
    made = await registrar.register(ADA)
    noted = await stores.audit.head(app.id)
    later = NOW + 3 * DAY_S
    await stores.sessions.end(made.account.id, [made.session.id], EndReason.LOGOUT, later)
    assert await stores.audit.forget(later, later, 2) == 2  # a batch, from the first on
    assert await stores.audit.forget(later, later, 2) == 1
    assert await stores.audit.forget(later, later, 2) == 0
    assert await stores.audit.anchor(app.id) == noted
    ended, first, second = await stores.audit.chain(app.id, 0, 1000)
    assert (ended.number, ended.event.kind) == (4, Kind.SESSION_ENDED)
    assert (first.event.kind, first.event.facts["through"]) == (Kind.AUDIT_FORGOTTEN, 2)
    assert second.event.facts == {"through": 3, "hash": noted.hash.hex()}
    whole = await audit.verify(stores.audit, app.id)
    assert whole == (await stores.audit.head(app.id), None)
    assert await audit.verify(stores.audit, app.id, noted) == whole
    _, problem = await audit.verify(stores.audit, app.id, noted._replace(number=2))
    assert problem == "entry 2 was noted, and the chain is kept from entry 4 on"


async def test_entries_go_once_a_day_at_most_and_only_from_the_beginning(stores: Any, app: App, registrar: Any) -> None:
    made = await registrar.register(ADA)
    assert await stores.audit.forget(NOW + DAY_S / 2, NOW, 100) == 0
    await stores.sessions.end(made.account.id, [made.session.id], EndReason.LOGOUT, NOW - DAY_S)  # a clock set back
    assert await stores.audit.forget(NOW, NOW + 5, 100) == 0
    assert await stores.audit.anchor(app.id) == audit.EMPTY
    assert (await audit.verify(stores.audit, app.id))[1] is None


async def test_a_deletion_is_told_and_its_entries_stay(stores: Any, app: App, registrar: Any) -> None:
    made = await registrar.register(ADA)
    await stores.accounts.delete(made.account.id, EndReason.ACCOUNT_DELETED, NOW + 1)
    assert (await kinds(stores, app))[-2:] == [Kind.SESSION_ENDED, Kind.USER_DELETED]
    assert len(await stores.audit.of_user(ADA, NOW, EVER, 100)) == 4


async def test_a_profile_that_changes_is_told(stores: Any, app: App, registrar: Any) -> None:
    await registrar.register(ADA)
    await stores.profiles.update(ADA, lambda profile: profile)
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, name="Ada", updated_at=NOW + 3))
    *_, last = await stores.audit.chain(app.id, 0, 1000)
    assert (last.event.kind, last.event.at) == (Kind.PROFILE_UPDATED, NOW + 3)
    assert last.event.facts == {"version": 1, "changed": ["nickName"]}


async def test_entries_are_found_by_user_by_app_and_by_page(stores: Any, app: App, registrar: Any) -> None:
    await registrar.register(ADA)
    await registrar.register(BOB)
    of_bob = await stores.audit.of_user(BOB, NOW, EVER, 100)
    assert [entry.number for entry in of_bob] == [5, 4]
    assert await stores.audit.of_user(BOB, NOW + 1, EVER, 100) == []
    assert [entry.number for entry in await stores.audit.of_app(app.id, Environment.LIVE, 5, 2)] == [4, 3]
    assert await stores.audit.of_app(app.id, Environment.SANDBOX, EVER, 2) == []
    assert [entry.number for entry in await stores.audit.chain(app.id, 2, 2)] == [3, 4]


async def test_the_chain_is_whole_and_its_head_is_kept(stores: Any, app: App, registrar: Any) -> None:
    assert await stores.audit.head("app_unknown") == audit.EMPTY
    await registrar.register(ADA)
    head, problem = await audit.verify(stores.audit, app.id)
    assert problem is None
    assert head == await stores.audit.head(app.id)
    assert head.number == 3
    assert await audit.verify(stores.audit, app.id, head) == (head, None)
    later = head._replace(number=4)
    assert "entry 4 was noted" in str((await audit.verify(stores.audit, app.id, later))[1])
    other = audit.Head(2, bytes(32))
    assert "not the one that was noted" in str((await audit.verify(stores.audit, app.id, other))[1])
