"""What every `AccountStore` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from heliograph.core.account_changes import AccountChange, Feedback
from heliograph.core.accounts import Account, Registration, Standing
from heliograph.core.apps import Environment
from heliograph.core.assertions import AssertionUse
from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.core.retries import Earlier, RetryKey
from heliograph.core.sessions import EndReason, Verifiers
from heliograph.core.tokens import TokenKind
from heliograph.errors import AccountNotFound, AdminBlocked, RegistrationUnverified, SessionLimit

ADA = "ada@chat.example"
BOB = "bob@chat.example"
CY = "cy@chat.example"
NOW = 1_800_000_000.0


async def test_a_registration_stores_account_session_verifiers_and_tokens(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    account, session = written.account, written.session
    assert account.id > 0
    assert session.account_id == account.id
    assert await stores.accounts.lookup(ADA) == account
    assert await stores.sessions.lookup(session.id) == (account, session)
    assert await stores.sessions.verifiers(ADA) == (account, [(session.id, written.verifiers)])
    for token in written.tokens:
        assert await stores.tokens.lookup(token.hash) == (account, session, token)


async def test_an_unknown_account_is_none(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    assert await stores.accounts.lookup(BOB) is None


async def test_a_further_registration_makes_a_further_session_of_the_same_account(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA)
    second = await registrar.register(ADA)
    assert second.account == first.account
    assert second.session.account_id == first.account.id
    assert await stores.sessions.live(first.account.id) == [first.session, second.session]


async def test_the_decision_sees_what_is_stored(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA)
    await registrar.register(BOB)
    await registrar.register(ADA)
    before_all, before_bob, before_second = registrar.standings
    assert (before_all.account, before_all.sessions, before_all.population) == (None, (), 0)
    assert (before_bob.account, before_bob.population) == (None, 1)
    assert (before_second.account, before_second.sessions, before_second.population) == (
        first.account,
        (first.session,),
        2,
    )


async def test_each_environment_counts_its_own_accounts(registrar: Any) -> None:
    await registrar.register(ADA)
    await registrar.register("ada@sandbox.chat.example")
    await registrar.register("bob@sandbox.chat.example")
    assert [standing.population for standing in registrar.standings] == [0, 0, 1]


async def test_metadata_keeps_its_types(stores: Any, registrar: Any) -> None:
    metadata = {"flag": True, "one": 1, "float": 1.0}
    await registrar.register_with(ADA, metadata=metadata)
    stored = (await stores.accounts.lookup(ADA)).metadata
    assert stored == metadata
    assert [type(value) for value in stored.values()] == [bool, int, float]


@pytest.mark.parametrize("value", ["", 'é𝄞\u2028"', 2**53 + 1, 2**70, -(2**63), 1e22, 5e-324, 1.7976931348623157e308])
async def test_any_metadata_value_survives(stores: Any, registrar: Any, value: object) -> None:
    await registrar.register_with(ADA, metadata={"key": value})
    stored = (await stores.accounts.lookup(ADA)).metadata["key"]
    assert stored == value
    assert type(stored) is type(value)


async def test_metadata_is_changed_by_a_further_registration(stores: Any, registrar: Any) -> None:
    await registrar.register_with(ADA, metadata={"plan": "free"})
    await registrar.register_with(ADA, metadata={"plan": "pro"})
    assert (await stores.accounts.lookup(ADA)).metadata == {"plan": "pro"}


async def test_a_name_once_saved_shows_in_the_standing_even_when_cleared(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, status="new here"))
    await registrar.register(ADA)
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=2, name="Ada"))
    await registrar.register(ADA)
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=3, name=""))
    await registrar.register(ADA)
    assert [standing.has_name for standing in registrar.standings] == [False, False, True, True]


async def test_a_session_that_makes_room_loses_verifiers_and_tokens(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA, cap=1)
    second = await registrar.register(ADA, cap=1)
    assert second.ended == (first.session.id,)
    assert await stores.sessions.lookup(first.session.id) is None
    assert await stores.sessions.verifiers(ADA) == (second.account, [(second.session.id, second.verifiers)])
    for token in first.tokens:
        assert await stores.tokens.lookup(token.hash) is None
    for token in second.tokens:
        assert await stores.tokens.lookup(token.hash) is not None


async def test_a_decision_that_raises_writes_nothing(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA, cap=1)
    use = AssertionUse(b"a" * 32, NOW + 300)
    with pytest.raises(SessionLimit):
        await registrar.register(ADA, cap=1, force=False, assertion=use)
    assert await stores.sessions.live(first.account.id) == [first.session]
    await registrar.register(ADA, assertion=use)  # not used up by the refusal


async def test_a_registration_that_cannot_be_written_whole_is_not_written_at_all(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA)

    def same_tokens(standing: Any) -> Any:
        return replace(registrar.decision(BOB)(standing), tokens=first.tokens)

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        await stores.accounts.register(BOB, same_tokens)
    assert await stores.accounts.lookup(BOB) is None
    await registrar.register(BOB)
    assert registrar.standings[-1].population == 1


async def test_fifty_concurrent_registrations_of_one_user_never_exceed_the_cap(stores: Any, registrar: Any) -> None:
    written = await asyncio.gather(*(registrar.register(ADA, cap=5) for _ in range(50)))
    assert len({registration.account.id for registration in written}) == 1
    assert max(len(standing.sessions) for standing in registrar.standings) == 5
    live = await stores.sessions.live(written[0].account.id)
    ended = {session_id for registration in written for session_id in registration.ended}
    assert len(live) == 5
    assert len(ended) == 45
    assert {session.id for session in live}.isdisjoint(ended)


async def test_of_fifty_concurrent_unforced_registrations_five_succeed(stores: Any, registrar: Any) -> None:
    results = await asyncio.gather(
        *(registrar.register(ADA, cap=5, force=False) for _ in range(50)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, SessionLimit)]
    assert len(refused) == 45
    assert len(await stores.sessions.live((await stores.accounts.lookup(ADA)).id)) == 5


async def test_an_assertion_is_used_once(stores: Any, registrar: Any) -> None:
    use = AssertionUse(b"a" * 32, NOW + 300)
    first = await registrar.register(ADA, assertion=use)
    for jid in (ADA, BOB):
        with pytest.raises(RegistrationUnverified):
            await registrar.register(jid, assertion=use)
    assert await stores.sessions.live(first.account.id) == [first.session]
    assert await stores.accounts.lookup(BOB) is None


async def test_of_concurrent_uses_of_one_assertion_one_succeeds(registrar: Any) -> None:
    use = AssertionUse(b"a" * 32, NOW + 300)
    results = await asyncio.gather(
        *(registrar.register(f"user-{number}@chat.example", assertion=use) for number in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, RegistrationUnverified) for result in results) == 19


def blocked(account: Account) -> AccountChange:
    return AccountChange(replace(account, is_blocked=True), EndReason.ADMIN_BLOCKED)


def unblocked(account: Account) -> AccountChange:
    return AccountChange(replace(account, is_blocked=False))


async def test_blocking_ends_all_sessions_and_says_which(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA)
    second = await registrar.register(ADA)
    account_id = first.account.id
    change, ended = await stores.accounts.change(ADA, NOW + 5, blocked)
    assert ended == [first.session.id, second.session.id]
    assert change == blocked(first.account)
    account = await stores.accounts.lookup(ADA)
    assert account == replace(first.account, is_blocked=True)
    assert await stores.sessions.live(account_id) == []
    assert await stores.sessions.verifiers(ADA) == (account, [])
    for token in (*first.tokens, *second.tokens):
        assert await stores.tokens.lookup(token.hash) is None


async def test_the_profile_shows_that_its_account_is_blocked(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    await stores.accounts.change(ADA, NOW, blocked)
    assert (await stores.profiles.lookup(ADA)).is_admin_blocked
    saved = await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, name="Ada"))
    assert saved.is_admin_blocked
    _, ended = await stores.accounts.change(ADA, NOW, unblocked)
    assert ended == []
    assert await stores.profiles.lookup(ADA) == replace(saved, is_admin_blocked=False)
    assert not (await stores.accounts.lookup(ADA)).is_blocked


async def test_every_part_of_an_account_that_can_change_is_stored(stores: Any, registrar: Any) -> None:
    account = (await registrar.register(ADA)).account
    wanted = replace(
        account, metadata={"seats": 3}, max_sessions=2, is_blocked=True, deleted_at=NOW + 1, purge_at=NOW + 9
    )
    change, ended = await stores.accounts.change(ADA, NOW, lambda _: AccountChange(wanted))
    assert (change.account, ended) == (wanted, [])
    assert await stores.accounts.lookup(ADA) == wanted
    assert len(await stores.sessions.live(account.id)) == 1


async def test_a_change_that_is_refused_writes_nothing_and_of_nobody_there_is_none(stores: Any, registrar: Any) -> None:
    account = (await registrar.register(ADA)).account

    def refuse(_found: Account) -> AccountChange:
        raise AdminBlocked

    with pytest.raises(AdminBlocked):
        await stores.accounts.change(ADA, NOW, refuse)
    assert await stores.accounts.lookup(ADA) == account
    with pytest.raises(AccountNotFound):
        await stores.accounts.change(BOB, NOW, blocked)


async def test_a_deleted_account_shows_no_profile_and_no_last_activity(stores: Any, registrar: Any) -> None:
    account = (await registrar.register(ADA)).account
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, name="Ada"))
    gone = replace(account, deleted_at=NOW, purge_at=NOW + 9)
    await stores.accounts.change(ADA, NOW, lambda _: AccountChange(gone))
    assert await stores.profiles.lookup(ADA) is None
    assert await stores.sessions.last_active(ADA) is None
    assert await stores.accounts.expired(NOW + 8, 10) == []
    assert await stores.accounts.expired(NOW + 9, 10) == [gone]


async def test_feedback_is_kept_newest_first_and_outlives_its_account(stores: Any, registrar: Any) -> None:
    account = (await registrar.register(ADA)).account

    def leave(found: Account, reason: str) -> AccountChange:
        return AccountChange(found, feedback=Feedback(0, ADA, reason, "too loud", NOW))

    for reason in ("moving", "done"):
        await stores.accounts.change(ADA, NOW, partial(leave, reason=reason))
    latest, first = await stores.accounts.feedback("app_1", Environment.LIVE, None, 10)
    assert (latest.jid, latest.reason, latest.feedback, latest.created_at) == (ADA, "done", "too loud", NOW)
    assert await stores.accounts.feedback("app_1", Environment.LIVE, latest.number, 10) == [first]
    assert await stores.accounts.feedback("app_1", Environment.LIVE, None, 1) == [latest]
    assert await stores.accounts.feedback("app_1", Environment.SANDBOX, None, 10) == []
    await stores.accounts.delete(account.id, EndReason.ACCOUNT_DELETED, NOW)
    assert [each.jid for each in await stores.accounts.feedback("app_1", Environment.LIVE, None, 10)] == [None, None]


async def test_deleting_removes_all_that_belongs_to_the_account(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    await registrar.register(BOB)
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, name="Ada"))
    await stores.contacts.change(ADA, BOB, lambda *_: (RosterItem(BOB), None))
    assert await stores.accounts.delete(written.account.id, EndReason.ACCOUNT_DELETED, NOW) == []
    assert await stores.accounts.lookup(ADA) is None
    assert await stores.profiles.lookup(ADA) is None
    assert await stores.sessions.lookup(written.session.id) is None
    assert await stores.sessions.verifiers(ADA) is None
    assert await stores.contacts.roster(ADA) == []
    for token in written.tokens:
        assert await stores.tokens.lookup(token.hash) is None


async def test_deleting_takes_the_account_out_of_other_rosters_and_says_of_whom(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    await registrar.register(BOB)
    await registrar.register(CY)
    await stores.contacts.change(ADA, BOB, lambda *_: (RosterItem(BOB, "both"), RosterItem(ADA, "both")))
    await stores.contacts.change(CY, ADA, lambda *_: (RosterItem(ADA, "none", is_pending_out=True), None))
    await stores.contacts.change(CY, BOB, lambda *_: (RosterItem(BOB), None))
    assert await stores.accounts.delete(written.account.id, EndReason.ACCOUNT_DELETED, NOW) == [
        RosterChange(BOB, ADA, None),
        RosterChange(CY, ADA, None),
    ]
    assert await stores.contacts.roster(BOB) == []
    assert await stores.contacts.roster(CY) == [RosterItem(BOB)]


async def test_a_deleted_account_no_longer_counts_and_may_come_again_as_another(stores: Any, registrar: Any) -> None:
    before = await registrar.register(ADA)
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, name="Ada"))
    await stores.accounts.delete(before.account.id, EndReason.ACCOUNT_DELETED, NOW)
    after = await registrar.register(ADA)
    assert after.account.id != before.account.id
    standing = registrar.standings[-1]
    assert (standing.account, standing.sessions, standing.population, standing.has_name) == (None, (), 0, False)
    assert await stores.accounts.delete(before.account.id, EndReason.ACCOUNT_DELETED, NOW) == []
    assert await stores.accounts.lookup(ADA) == after.account


async def test_expired_accounts_are_found_oldest_first(stores: Any, registrar: Any) -> None:
    for number in (3, 1, 2):
        await registrar.register_with(f"user-{number}@sandbox.chat.example", expires_at=NOW + number)
    await registrar.register(ADA)
    found = await stores.accounts.expired(NOW + 2, 10)
    assert [account.identifier for account in found] == ["user-1", "user-2"]
    assert [account.identifier for account in await stores.accounts.expired(NOW + 9, 2)] == ["user-1", "user-2"]
    assert await stores.accounts.expired(NOW, 10) == []


# ------------------------------------------------------------------------------------------- repeated registrations


def verifiers(seed: str) -> Verifiers:
    return Verifiers(*((seed.encode() * 32)[:32] for _ in range(5)))


def marked(fingerprint: bytes = b"f" * 32, expires_at: float = NOW + 86400) -> RetryKey:
    return RetryKey(b"k" * 32, fingerprint, expires_at)


async def test_a_marked_registration_is_named_to_the_next_one_of_its_mark(stores: Any, registrar: Any) -> None:
    made = await stores.accounts.register(ADA, registrar.decision(ADA), retry=marked())
    await stores.accounts.register(ADA, registrar.decision(ADA))
    assert [standing.earlier for standing in registrar.standings] == [None, None]
    found: list[Standing] = []

    def repeat(standing: Standing) -> Registration:
        found.append(standing)
        account, session = standing.account, standing.sessions[0]
        assert account is not None
        token = replace(registrar.token("again", TokenKind.ACCESS, session.id), session_id=session.id)
        return Registration(account, session, verifiers("again"), (token,), (), is_repeat=True)

    again = await stores.accounts.register(ADA, repeat, retry=marked())
    assert found[0].earlier == Earlier(made.session.id, b"f" * 32)
    assert again.session.id == made.session.id
    assert len(await stores.sessions.live(made.account.id)) == 2
    _, known = await stores.sessions.verifiers(ADA)
    assert dict(known)[made.session.id] == verifiers("again")
    assert [await stores.tokens.lookup(token.hash) for token in made.tokens] == [None, None]
    assert (await stores.tokens.lookup(again.tokens[0].hash))[1].id == made.session.id


async def test_a_mark_whose_time_is_over_is_forgotten_by_the_next_marked_registration(
    stores: Any, registrar: Any
) -> None:
    await stores.accounts.register(ADA, registrar.decision(ADA), retry=marked(expires_at=NOW + 5))
    other = replace(marked(), hash=b"o" * 32)
    await stores.accounts.register(BOB, registrar.decision(BOB, now=NOW + 6), retry=other)
    await stores.accounts.register(ADA, registrar.decision(ADA), retry=marked())
    assert registrar.standings[-1].earlier is None


async def test_a_registration_that_is_refused_leaves_no_mark(stores: Any, registrar: Any) -> None:
    def refuse(_standing: Standing) -> Registration:
        raise AdminBlocked

    with pytest.raises(AdminBlocked):
        await stores.accounts.register(ADA, refuse, retry=marked())
    await stores.accounts.register(ADA, registrar.decision(ADA), retry=marked())
    assert registrar.standings[-1].earlier is None
