"""Registering, blocking, deleting and expiring users, over the real stores."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from heliograph.core import account_changes, accounts, apps, rate_limits, sessions, tokens
from heliograph.core.accounts import Account, Registered, RegisterRequest
from heliograph.core.apps import Caller, Environment, NewApp, Policy
from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.core.ports import CredentialSource, Ports
from heliograph.core.sessions import Credentials, Device, EndReason, Via
from heliograph.errors import (
    AccountNotFound,
    AdminBlocked,
    IdentifierInvalid,
    MetadataInvalid,
    RateLimited,
    RegistrationUnverified,
    SandboxFull,
    SecretKeyRequired,
    SessionLimit,
    SessionNotFound,
    TokenRevoked,
)

DAY_S = 86400


async def register(ports: Ports, caller: Caller, identifier: str = "bob", **changes: Any) -> Registered:
    return await accounts.register(ports, caller, RegisterRequest(identifier, **changes))


def with_policy(caller: Caller, **changes: Any) -> Caller:
    """The caller after its app's policy was changed."""
    return replace(caller, app=replace(caller.app, policy=replace(caller.app.policy, **changes)))


async def live_ids(ports: Ports, account: Account) -> set[str]:
    return {session.id for session in await sessions.list_live(ports, account)}


# ------------------------------------------------------------------------------------------------------ registering


async def test_a_new_user_can_sign_in_at_once(ports: Ports, backend: Caller, engine: Any) -> None:
    bob = await register(ports, backend, device=Device("phone", ip="192.0.2.7"))
    assert (bob.account.jid, bob.is_existing, bob.is_profile_updated) == ("bob@chat.example", False, False)
    assert len(bob.password) >= 24
    found = await ports.sessions.verifiers("bob@chat.example")
    assert found is not None
    account, [(session_id, verifiers)] = found
    assert (account, session_id) == (bob.account, bob.session.id)
    assert verifiers.sha256 == hashlib.sha256(bob.password.encode()).digest()
    identity = await tokens.authenticate(ports, backend, bob.tokens.access_token)
    assert (identity.account, identity.session) == (bob.account, bob.session)
    assert engine.told == [("provision", "bob@chat.example")]


async def test_a_further_device_gets_a_password_of_its_own_under_the_same_salt(
    ports: Ports, backend: Caller, engine: Any
) -> None:
    first = await register(ports, backend)
    second = await register(ports, backend)
    assert second.is_existing
    assert second.password != first.password
    assert second.session.id != first.session.id
    assert (second.account.salt, second.account.iterations) == (first.account.salt, first.account.iterations)
    assert await live_ids(ports, first.account) == {first.session.id, second.session.id}
    assert [call[0] for call in engine.told] == ["provision"]


async def test_metadata_keeps_its_types_and_stays_when_it_is_left_out(ports: Ports, backend: Caller) -> None:
    metadata = {"vip": True, "level": 1, "score": 1.0}
    await register(ports, backend, metadata=metadata)
    assert typed((await register(ports, backend)).account.metadata) == typed(metadata)
    assert typed((await accounts.lookup(ports, backend, "bob")).metadata) == typed(metadata)


@pytest.mark.parametrize("after", [{"a": True}, {"a": 1.0}, {"a": "1"}, {}, {"b": 10**30, "c": "ß💬\x00"}])
async def test_metadata_that_is_given_again_replaces_the_old(
    ports: Ports, backend: Caller, after: dict[str, Any]
) -> None:
    await register(ports, backend, metadata={"a": 1})
    await register(ports, backend, metadata=after)
    assert typed((await accounts.lookup(ports, backend, "bob")).metadata) == typed(after)


def typed(metadata: Any) -> dict[str, tuple[type, object]]:
    """Metadata with the type of each value, since `1 == True == 1.0`."""
    return {key: (type(value), value) for key, value in metadata.items()}


async def test_a_request_that_breaks_a_rule_writes_nothing(ports: Ports, backend: Caller) -> None:
    with pytest.raises(IdentifierInvalid):
        await register(ports, backend, "Bob")
    with pytest.raises(MetadataInvalid):
        await register(ports, backend, metadata={"a": None})
    with pytest.raises(AccountNotFound):
        await accounts.lookup(ports, backend, "bob")


async def test_a_saved_profile_name_shows_at_the_next_registration(ports: Ports, backend: Caller) -> None:
    bob = await register(ports, backend)
    await ports.profiles.update(bob.account.jid, lambda profile: replace(profile, name="Bob", version=1))
    assert (await register(ports, backend)).is_profile_updated


async def test_live_and_sandbox_users_of_one_identifier_are_two(ports: Ports, backend: Caller, trial: Caller) -> None:
    await register(ports, backend)
    other = await register(ports, trial)
    assert (other.account.jid, other.is_existing) == ("bob@sandbox.chat.example", False)


async def test_a_qr_session_is_made_without_the_proof_that_register_asks_for(ports: Ports, client: Caller) -> None:
    linked = await accounts.open_session(ports, client, RegisterRequest("bob", via=Via.QR))
    assert [session.via for session in await sessions.list_live(ports, linked.account)] == [Via.QR]


# ---------------------------------------------------------------------------------------------------------- the cap


async def test_at_the_cap_the_least_recently_active_session_goes_and_is_told_why(
    ports: Ports, backend: Caller, engine: Any, clock: Any
) -> None:
    two = with_policy(backend, max_sessions=2)
    first = await register(ports, two)
    clock.turn(1)
    second = await register(ports, two)
    clock.turn(1)
    third = await register(ports, two)
    assert await live_ids(ports, first.account) == {second.session.id, third.session.id}
    assert engine.told[1:] == [
        ("disconnect_session", "bob@chat.example", first.session.id, EndReason.EVICTED),
    ]
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, two, first.tokens.access_token)


async def test_at_the_cap_without_force_nothing_changes_and_the_user_can_choose(
    ports: Ports, backend: Caller, engine: Any
) -> None:
    one = with_policy(backend, max_sessions=1)
    first = await register(ports, one, device=Device("phone"))
    with pytest.raises(SessionLimit) as refused:
        await register(ports, one, force=False)
    assert refused.value.details["sessions"] == [sessions.describe(first.session)]
    chosen = refused.value.details["sessions"][0]["id"]
    second = await register(ports, one, force=False, replace_session=chosen)
    assert await live_ids(ports, first.account) == {second.session.id}
    assert engine.told[1:] == [("disconnect_session", "bob@chat.example", first.session.id, EndReason.REPLACED)]


async def test_a_session_of_another_user_cannot_be_replaced(ports: Ports, backend: Caller) -> None:
    alice = await register(ports, backend, "alice")
    await register(ports, backend)
    with pytest.raises(SessionNotFound):
        await register(ports, backend, replace_session=alice.session.id)
    assert await live_ids(ports, alice.account) == {alice.session.id}


async def test_a_lowered_cap_ends_as_many_as_it_takes(ports: Ports, backend: Caller, engine: Any) -> None:
    many = [await register(ports, backend) for _ in range(4)]
    last = await register(ports, with_policy(backend, max_sessions=2))
    assert await live_ids(ports, last.account) == {many[3].session.id, last.session.id}
    assert [call[2] for call in engine.told[1:]] == [gone.session.id for gone in many[:3]]


async def test_fifty_registrations_at_once_keep_the_cap(ports: Ports, backend: Caller, engine: Any) -> None:
    made = await asyncio.gather(*(register(ports, backend) for _ in range(50)))
    live = await live_ids(ports, made[0].account)
    assert len(live) == 5
    assert sum(not one.is_existing for one in made) == 1
    assert len({one.account.salt for one in made}) == 1
    assert len({one.password for one in made}) == 50
    told = {call[2] for call in engine.told if call[0] == "disconnect_session"}
    assert told | live == {one.session.id for one in made}
    assert told.isdisjoint(live)


# ------------------------------------------------------------------------------------------------------------ races


@dataclass
class MeanwhileCredentials:
    """A credential source during whose work something else happens, a number of times."""

    inner: CredentialSource
    happens: Any
    times: int = 1
    salts: list[bytes] = field(default_factory=list)

    @property
    def prepared(self) -> int:
        return self.inner.prepared

    async def fresh(self) -> Credentials:
        await self.interrupt()
        return await self.inner.fresh()

    async def under(self, salt: bytes, iterations: int) -> Credentials:
        self.salts.append(salt)
        await self.interrupt()
        return await self.inner.under(salt, iterations)

    async def interrupt(self) -> None:
        if self.times > 0:
            self.times -= 1
            await self.happens()


async def test_an_account_that_appears_meanwhile_gets_a_password_under_its_salt(ports: Ports, backend: Caller) -> None:
    source = MeanwhileCredentials(ports.credentials, lambda: register(ports, backend))
    late = await register(replace(ports, credentials=source), backend)
    early = await accounts.lookup(ports, backend, "bob")
    assert late.is_existing
    assert source.salts == [early.salt]
    assert len(await live_ids(ports, early)) == 2


async def test_an_account_that_is_deleted_meanwhile_is_made_anew(ports: Ports, backend: Caller) -> None:
    first = await register(ports, backend)
    source = MeanwhileCredentials(ports.credentials, lambda: accounts.delete(ports, first.account))
    again = await register(replace(ports, credentials=source), backend)
    assert not again.is_existing
    assert again.account.id != first.account.id


async def test_an_account_that_changes_all_the_time_is_given_up_on(ports: Ports, backend: Caller) -> None:
    async def come_anew() -> None:
        found = await ports.accounts.lookup("bob@chat.example")
        if found is not None:
            await accounts.delete(ports, found)
        await register(ports, backend)

    source = MeanwhileCredentials(ports.credentials, come_anew, times=1000)
    with pytest.raises(RateLimited):
        await register(replace(ports, credentials=source), backend)


# ---------------------------------------------------------------------------------------------------------- proofs


def assertion(app: NewApp, clock: Any, jti: str = "one") -> str:
    claims = {"sub": "bob", "aud": "chat.example", "iat": clock.now(), "jti": jti}
    return jwt.encode({"alg": "ES256"}, claims, ECKey.import_key(json.loads(app.assertion_private_key)))


async def test_a_live_client_registers_with_an_assertion_once(
    ports: Ports, app: NewApp, client: Caller, clock: Any
) -> None:
    with pytest.raises(RegistrationUnverified):
        await register(ports, client)
    await register(ports, client, assertion=assertion(app, clock))
    with pytest.raises(RegistrationUnverified) as refused:
        await register(ports, client, assertion=assertion(app, clock))
    assert refused.value.details == {"reason": "used"}
    await register(ports, client, assertion=assertion(app, clock, "two"))


async def test_a_registration_that_is_refused_does_not_use_the_assertion_up(
    ports: Ports, app: NewApp, client: Caller, clock: Any
) -> None:
    one = with_policy(client, max_sessions=1)
    first = await register(ports, one, assertion=assertion(app, clock))
    with pytest.raises(SessionLimit):
        await register(ports, one, force=False, assertion=assertion(app, clock, "two"))
    await register(ports, one, replace_session=first.session.id, assertion=assertion(app, clock, "two"))


# ------------------------------------------------------------------------------------------------- blocked and gone


async def test_blocking_ends_all_sessions_and_keeps_the_user_out(ports: Ports, backend: Caller, engine: Any) -> None:
    bob = await register(ports, backend)
    blocked = await account_changes.set_blocked(ports, backend, "bob", is_blocked=True)
    assert blocked.is_blocked
    assert engine.told[1:] == [("disconnect_account", "bob@chat.example", EndReason.ADMIN_BLOCKED)]
    assert await live_ids(ports, bob.account) == set()
    with pytest.raises(AdminBlocked):
        await register(ports, backend)
    await account_changes.set_blocked(ports, backend, "bob", is_blocked=False)
    assert (await register(ports, backend)).is_existing


async def test_only_the_backend_blocks(ports: Ports, backend: Caller, client: Caller) -> None:
    await register(ports, backend)
    with pytest.raises(SecretKeyRequired):
        await account_changes.set_blocked(ports, client, "bob", is_blocked=True)
    with pytest.raises(AccountNotFound):
        await account_changes.set_blocked(ports, backend, "alice", is_blocked=True)


async def test_deleting_an_account_ends_its_streams_and_leaves_no_roster_entry(
    ports: Ports, backend: Caller, engine: Any
) -> None:
    bob, alice = await register(ports, backend), await register(ports, backend, "alice")
    await ports.contacts.change(
        bob.account.jid,
        alice.account.jid,
        lambda *_: (RosterItem(alice.account.jid, "both"), RosterItem(bob.account.jid, "both")),
    )
    await accounts.delete(ports, bob.account)
    assert engine.told[2:] == [
        ("disconnect_account", bob.account.jid, EndReason.ACCOUNT_DELETED),
        ("contacts_changed", RosterChange(alice.account.jid, bob.account.jid, None)),
    ]
    assert await ports.contacts.roster(alice.account.jid) == []
    with pytest.raises(AccountNotFound):
        await accounts.lookup(ports, backend, "bob")
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, backend, bob.tokens.access_token)
    await accounts.delete(ports, bob.account)


@pytest.mark.parametrize("identifier", ["alice", "Bob", "", "bob@chat.example"])
async def test_who_was_never_registered_is_not_found(ports: Ports, backend: Caller, identifier: str) -> None:
    await register(ports, backend)
    with pytest.raises(AccountNotFound):
        await accounts.lookup(ports, backend, identifier)


# ---------------------------------------------------------------------------------------------------------- sandbox


async def test_an_expired_user_is_gone_before_any_sweep(ports: Ports, trial: Caller, clock: Any) -> None:
    bob = await register(ports, trial)
    assert bob.account.expires_at == clock.now() + 30 * DAY_S
    clock.turn(30 * DAY_S)
    with pytest.raises(AccountNotFound):
        await accounts.lookup(ports, trial, "bob")


async def test_registering_an_expired_user_makes_a_new_one(
    ports: Ports, trial: Caller, engine: Any, clock: Any
) -> None:
    old = await register(ports, trial, metadata={"a": 1})
    clock.turn(30 * DAY_S)
    new = await register(ports, trial)
    assert not new.is_existing
    assert (new.account.metadata, new.account.expires_at) == ({}, clock.now() + 30 * DAY_S)
    assert new.account.salt != old.account.salt
    assert ("disconnect_account", old.account.jid, EndReason.EXPIRED) in engine.told


async def test_the_sweep_deletes_the_expired_and_no_one_else(
    ports: Ports, trial: Caller, backend: Caller, clock: Any
) -> None:
    await register(ports, trial, "early")
    await register(ports, trial, "early2")
    await register(ports, backend, "live")
    clock.turn(DAY_S)
    await register(ports, trial, "late")
    assert await accounts.delete_expired(ports) == 0
    clock.turn(29 * DAY_S)
    assert await accounts.delete_expired(ports) == 2
    assert await accounts.delete_expired(ports) == 0
    await accounts.lookup(ports, trial, "late")
    await accounts.lookup(ports, backend, "live")


async def test_a_full_sandbox_takes_no_new_user_until_one_has_expired(ports: Ports, trial: Caller, clock: Any) -> None:
    two = with_policy(trial, sandbox_max_users=2)
    await register(ports, two, "a")
    await register(ports, two, "b")
    with pytest.raises(SandboxFull):
        await register(ports, two, "c")
    assert (await register(ports, two, "a")).is_existing
    clock.turn(30 * DAY_S)
    assert not (await register(ports, two, "c")).is_existing
    with pytest.raises(AccountNotFound):
        await accounts.lookup(ports, two, "b")


# ------------------------------------------------------------------------------------------------------ rate limits


async def test_clients_of_one_address_are_told_when_to_come_back(ports: Ports, trial: Caller, clock: Any) -> None:
    draw = rate_limits.for_register(trial, "192.0.2.7")[0]
    for _ in range(draw.rate.burst):
        await ports.rates.take(draw.key, draw.rate, clock.now())
    with pytest.raises(RateLimited) as refused:
        await register(ports, trial, device=Device(ip="192.0.2.7"))
    wait_s = refused.value.retry_after_s
    assert wait_s is not None
    await register(ports, trial, device=Device(ip="192.0.2.8"))
    clock.turn(wait_s)
    await register(ports, trial, device=Device(ip="192.0.2.7"))


async def test_a_backend_of_the_same_address_has_a_rate_of_its_own(
    ports: Ports, backend: Caller, client: Caller
) -> None:
    for draw in rate_limits.for_register(client, "192.0.2.7"):
        for _ in range(draw.rate.burst):
            await ports.rates.take(draw.key, draw.rate, ports.clock.now())
    await register(ports, backend, device=Device(ip="192.0.2.7"))


async def test_registrations_under_a_lowered_policy_follow_the_stored_app(ports: Ports, app: NewApp) -> None:
    stored = await apps.set_policy(ports, app.app, Policy(sandbox_max_users=1))
    caller = Caller(stored, Environment.SANDBOX, is_backend=False)
    await register(ports, caller, "a")
    with pytest.raises(SandboxFull):
        await register(ports, caller, "b")
