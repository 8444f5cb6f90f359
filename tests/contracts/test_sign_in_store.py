"""What every `SignInStore` does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from heliograph.core.account_changes import AccountChange
from heliograph.core.pep_nodes import Item, NodeConfig, Outcome
from heliograph.core.pep_ties import Tie
from heliograph.core.sessions import EndReason
from heliograph.core.sign_ins import Owed, SignedIn
from heliograph.xmpp.pep_relations import Affiliation

ADA = "ada@chat.example"
BOB = "bob@chat.example"
PICTURE = f"https://chat.example/media/{'a' * 64}"
NOW = 1_800_000_000.0


async def test_an_account_comes_with_the_verifiers_of_its_live_sessions(stores: Any, registrar: Any) -> None:
    first, second, third = [await registrar.register(ADA) for _ in range(3)]
    await registrar.register(BOB)
    account = first.account
    await stores.sessions.end(account.id, [second.session.id], EndReason.LOGOUT, NOW)
    found = await stores.sign_ins.by_password(ADA)
    assert (found.account_id, found.salt, found.iterations) == (account.id, account.salt, account.iterations)
    assert (found.is_blocked, found.has_blocks, found.is_expired(NOW)) == (False, False, False)
    kept = {
        each.session.id: (
            each.verifiers.stored_sha1,
            each.verifiers.server_sha1,
            each.verifiers.stored_sha256,
            each.verifiers.server_sha256,
            each.verifiers.sha256,
        )
        for each in (first, third)
    }
    assert {session_id: tuple(verifiers) for session_id, *verifiers in found.verifiers} == kept


async def test_nobody_is_none_and_an_account_without_sessions_has_no_verifiers(stores: Any, registrar: Any) -> None:
    assert await stores.sign_ins.by_password(ADA) is None
    written = await registrar.register(ADA)
    await stores.sessions.end(written.account.id, [written.session.id], EndReason.LOGOUT, NOW)
    assert list((await stores.sign_ins.by_password(ADA)).verifiers) == []


async def test_that_an_account_is_blocked_blocks_or_has_an_end_is_told(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    await stores.blocks.change(ADA, lambda _: frozenset((BOB,)))
    ending = NOW + 60
    await stores.accounts.change(
        ADA, NOW, lambda found: AccountChange(replace(found, is_blocked=True, deleted_at=NOW, purge_at=ending))
    )
    found = await stores.sign_ins.by_password(ADA)
    assert found.is_blocked
    assert found.has_blocks
    assert not found.is_expired(ending - 1)
    assert found.is_expired(ending)


async def test_a_live_session_tells_of_its_account_and_its_blocks(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    account, session = written.account, written.session
    assert await stores.sign_ins.signed_in(session.id) == SignedIn(account.id, is_blocked=False, blocks=frozenset())
    entries = frozenset((BOB, "eve@chat.example"))
    await stores.blocks.change(ADA, lambda _: entries)
    assert await stores.sign_ins.signed_in(session.id) == SignedIn(account.id, is_blocked=False, blocks=entries)
    await stores.sessions.end(account.id, [session.id], EndReason.LOGOUT, NOW)
    assert await stores.sign_ins.signed_in(session.id) is None


async def test_what_there_is_for_a_user_is_told_of_each_alone(stores: Any, registrar: Any) -> None:
    account = (await registrar.register(ADA)).account
    await registrar.register(BOB)
    owed = stores.sign_ins.owed
    assert await owed(account.id) == Owed(has_picture=False, has_ties=False, has_messages=False, has_status=False)
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, name="Ada"))
    assert not (await owed(account.id)).has_picture
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=2, image=PICTURE))
    assert await owed(account.id) == Owed(has_picture=True, has_ties=False, has_messages=False, has_status=False)
    node = Outcome(NodeConfig(max_items=1), Item("i", "<x xmlns='urn:x'/>"))
    await stores.pep.change(BOB, "n", lambda _: node)
    await stores.pep_ties.change(BOB, "n", ADA, lambda _: Tie(BOB, "n", ADA, Affiliation.MEMBER, (ADA,)))
    assert await owed(account.id) == Owed(has_picture=True, has_ties=True, has_messages=False, has_status=False)
    await stores.offline.add(ADA, b"<message/>", NOW, 10)
    assert await owed(account.id) == Owed(has_picture=True, has_ties=True, has_messages=True, has_status=False)
    await stores.offline.take(ADA, NOW)
    assert not (await owed(account.id)).has_messages
    await stores.sessions.note_status(ADA, "gone home")
    assert await owed(account.id) == Owed(has_picture=True, has_ties=True, has_messages=False, has_status=True)
