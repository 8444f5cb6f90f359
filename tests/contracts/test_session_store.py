"""What every `SessionStore` does."""

from __future__ import annotations

import asyncio
from typing import Any

from heliograph.core.sessions import Activity, EndReason, Via

ADA = "ada@chat.example"
BOB = "bob@chat.example"
NOW = 1_800_000_000.0


async def ids(stores: Any, account_id: int) -> list[str]:
    return [session.id for session in await stores.sessions.live(account_id)]


async def test_live_sessions_come_least_recently_active_first(stores: Any, registrar: Any) -> None:
    for now in (NOW + 3, NOW + 1, NOW + 2):
        written = await registrar.register(ADA, now=now)
    assert await ids(stores, written.account.id) == ["ses_2", "ses_3", "ses_1"]


async def test_verifiers_of_all_live_sessions_come_with_the_account(stores: Any, registrar: Any) -> None:
    written = [await registrar.register(ADA) for _ in range(3)]
    await registrar.register(BOB)
    account, found = await stores.sessions.verifiers(ADA)
    assert account == written[0].account
    assert dict(found) == {registration.session.id: registration.verifiers for registration in written}


async def test_what_is_unknown_is_none(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    assert await stores.sessions.lookup("ses_unknown") is None
    assert await stores.sessions.verifiers(BOB) is None
    assert await stores.sessions.live(10**9) == []


async def test_an_ended_session_loses_verifiers_and_tokens_and_no_other_does(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA)
    second = await registrar.register(ADA)
    account = first.account
    assert await stores.sessions.end(account.id, [first.session.id], EndReason.LOGOUT, NOW) == [first.session.id]
    assert await stores.sessions.lookup(first.session.id) is None
    assert await ids(stores, account.id) == [second.session.id]
    assert await stores.sessions.verifiers(ADA) == (account, [(second.session.id, second.verifiers)])
    assert [await stores.tokens.lookup(token.hash) for token in first.tokens] == [None, None]
    assert None not in [await stores.tokens.lookup(token.hash) for token in second.tokens]


async def test_ending_tells_which_sessions_were_live(stores: Any, registrar: Any) -> None:
    written = [await registrar.register(ADA) for _ in range(3)]
    account_id = written[0].account.id
    await stores.sessions.end(account_id, ["ses_2"], EndReason.LOGOUT, NOW)
    asked = ["ses_3", "ses_2", "ses_unknown", "ses_1", "ses_3"]
    assert await stores.sessions.end(account_id, asked, EndReason.ENDED_BY_USER, NOW) == ["ses_3", "ses_1"]
    assert await stores.sessions.end(account_id, [], EndReason.ENDED_BY_USER, NOW) == []


async def test_nobody_ends_the_session_of_another_account(stores: Any, registrar: Any) -> None:
    ada = await registrar.register(ADA)
    bob = await registrar.register(BOB)
    assert await stores.sessions.end(bob.account.id, [ada.session.id], EndReason.ENDED_BY_USER, NOW) == []
    assert await stores.sessions.lookup(ada.session.id) == (ada.account, ada.session)


async def test_of_concurrent_ends_of_one_session_one_finds_it_live(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    ended = await asyncio.gather(
        *(stores.sessions.end(written.account.id, ["ses_1"], EndReason.LOGOUT, NOW) for _ in range(10))
    )
    assert sorted(ended) == [[]] * 9 + [["ses_1"]]


async def test_activity_is_written_with_the_next_commit(stores: Any, registrar: Any) -> None:
    for number in range(3):
        written = await registrar.register(ADA, now=NOW + number)
    stores.sessions.touch("ses_1", NOW + 50)
    stores.sessions.touch("ses_1", NOW + 60)
    stores.sessions.touch("ses_2", NOW + 55)
    stores.sessions.touch("ses_unknown", NOW + 55)
    await registrar.register(BOB)
    assert await ids(stores, written.account.id) == ["ses_3", "ses_2", "ses_1"]
    assert (await stores.sessions.lookup("ses_1"))[1].last_active_at == NOW + 60


async def test_activity_counts_for_the_very_next_registration(registrar: Any) -> None:
    for number in range(2):
        await registrar.register(ADA, now=NOW + number)
    registrar.stores.sessions.touch("ses_1", NOW + 50)
    written = await registrar.register(ADA, now=NOW + 51, cap=2)
    assert written.ended == ("ses_2",)


async def test_activity_never_goes_back(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA, now=NOW + 9)
    stores.sessions.touch("ses_1", NOW)
    await registrar.register(BOB)
    assert (await stores.sessions.lookup("ses_1"))[1].last_active_at == NOW + 9


async def test_activity_does_not_revive_an_ended_session(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    await stores.sessions.end(written.account.id, ["ses_1"], EndReason.LOGOUT, NOW)
    stores.sessions.touch("ses_1", NOW + 60)
    await registrar.register(BOB)
    assert await stores.sessions.lookup("ses_1") is None


async def test_idle_sessions_of_a_kind_come_longest_idle_first(stores: Any, registrar: Any) -> None:
    for jid, now in ((ADA, NOW + 2), (BOB, NOW + 1), (ADA, NOW + 3), (ADA, NOW + 9)):
        await registrar.register(jid, now=now)
    await stores.sessions.end((await stores.accounts.lookup(ADA)).id, ["ses_3"], EndReason.LOGOUT, NOW)
    found = await stores.sessions.idle(Via.REGISTER, NOW + 9, 10)
    assert [(account.jid, session.id) for account, session in found] == [(BOB, "ses_2"), (ADA, "ses_1")]
    assert [session.id for _, session in await stores.sessions.idle(Via.REGISTER, NOW + 9, 1)] == ["ses_2"]
    assert await stores.sessions.idle(Via.QR, NOW + 9, 10) == []


async def test_last_activity_is_that_of_any_session_also_of_one_that_ended(stores: Any, registrar: Any) -> None:
    assert await stores.sessions.last_active(ADA) is None
    written = await registrar.register(ADA, now=NOW + 5)
    await registrar.register(ADA, now=NOW + 2)
    await registrar.register(BOB, now=NOW + 9)
    assert await stores.sessions.last_active(ADA) == Activity(NOW + 5)
    await stores.sessions.end(written.account.id, ["ses_1", "ses_2"], EndReason.LOGOUT, NOW + 7)
    assert await stores.sessions.last_active(ADA) == Activity(NOW + 5)


async def test_ended_sessions_are_let_go_and_the_last_activity_stays_known(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA, now=NOW + 5)
    for now in (NOW + 2, NOW + 1):
        await registrar.register(ADA, now=now)
    assert await stores.accounts.forget_sessions(NOW + 100, 10) == 0
    await stores.sessions.end(written.account.id, ["ses_1", "ses_2"], EndReason.LOGOUT, NOW + 7)
    assert await stores.accounts.forget_sessions(NOW + 7, 10) == 0
    assert await stores.accounts.forget_sessions(NOW + 8, 1) == 1
    assert await stores.accounts.forget_sessions(NOW + 8, 10) == 1
    assert await stores.accounts.forget_sessions(NOW + 8, 10) == 0
    assert await stores.sessions.last_active(ADA) == Activity(NOW + 5)
    assert await ids(stores, written.account.id) == ["ses_3"]


async def test_what_a_user_said_on_going_away_is_kept_until_the_next_time(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA, now=NOW + 5)
    for status in ("", "Gone <home>", "", "Zürich", "Zürich"):
        await stores.sessions.note_status(ADA, status)
        assert await stores.sessions.last_active(ADA) == Activity(NOW + 5, status)
    await stores.sessions.note_status(BOB, "nobody")
    assert await stores.sessions.last_active(BOB) is None
