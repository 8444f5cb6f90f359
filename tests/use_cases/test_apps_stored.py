"""Creating apps and calling with their keys, over the real stores."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from doubles import TurnedClock
from heliograph.core import apps
from heliograph.core.apps import Caller, Environment, KeyKind, NewApp, Policy, RegistrationPolicy
from heliograph.core.ports import Ports
from heliograph.errors import AppInvalid, LicenseInvalid


async def test_each_key_of_a_new_app_says_who_is_calling(ports: Ports, app: NewApp) -> None:
    for (kind, environment), key in app.keys.items():
        caller = await apps.authenticate_key(ports, key)
        assert caller == Caller(app.app, environment, is_backend=kind is KeyKind.SECRET)
    assert len(set(app.keys.values())) == 4


async def test_of_a_secret_key_only_the_digest_is_stored(ports: Ports, app: NewApp) -> None:
    [(_, keys)] = await ports.apps.list()
    stored = {(key.kind, key.environment): key for key in keys}
    for which, text in app.keys.items():
        assert stored[which].hash == hashlib.sha256(text.encode()).digest()
        assert stored[which].publishable == (text if which[0] is KeyKind.PUBLISHABLE else None)


async def test_the_private_assertion_key_is_shown_once_and_never_stored(ports: Ports, app: NewApp) -> None:
    stored = await ports.apps.lookup(app.app.id)
    assert stored is not None
    private = json.loads(app.assertion_private_key)
    assert json.loads(stored.assertion_key) == {name: value for name, value in private.items() if name != "d"}
    assert private["d"] not in repr(app)
    assert not any(key in repr(app) for key in app.keys.values())


@pytest.mark.parametrize(
    "key", [None, "", "hg_pk_live_", "hg_pk_live_" + "a" * 43, "hg_pk_live_" + "a" * 44, "hg_xx_live_" + "a" * 43]
)
async def test_another_key_is_no_licence(ports: Ports, app: NewApp, key: str | None) -> None:
    with pytest.raises(LicenseInvalid):
        await apps.authenticate_key(ports, key)


async def test_a_key_is_taken_exactly_as_it_is_written(ports: Ports, app: NewApp) -> None:
    key = app.keys[KeyKind.SECRET, Environment.LIVE]
    for wrong in (key + "\n", " " + key, key.replace("live", "trial"), key.replace("sk", "pk")):
        with pytest.raises(LicenseInvalid):
            await apps.authenticate_key(ports, wrong)


async def test_a_replaced_key_lets_in_until_its_time_is_over(ports: Ports, app: NewApp, clock: TurnedClock) -> None:
    which = (KeyKind.PUBLISHABLE, Environment.LIVE)
    new = await apps.replace_key(ports, app.app, *which, keep_s=60)
    clock.turn(59)
    for key in (new, app.keys[which]):
        assert (await apps.authenticate_key(ports, key)).environment is Environment.LIVE
    clock.turn(1)
    with pytest.raises(LicenseInvalid):
        await apps.authenticate_key(ports, app.keys[which])
    assert (await apps.authenticate_key(ports, new)).app == app.app


@pytest.mark.parametrize("keep_s", [-1, 365 * 86400 + 1, float("nan")])
async def test_a_replaced_key_stays_a_year_at_most(ports: Ports, app: NewApp, keep_s: float) -> None:
    with pytest.raises(AppInvalid) as refused:
        await apps.replace_key(ports, app.app, KeyKind.SECRET, Environment.LIVE, keep_s)
    assert refused.value.details["field"] == "keep"


async def test_the_sandbox_has_a_domain_of_its_own(ports: Ports) -> None:
    named = await apps.create(ports, "A", "a.example", "try.example")
    assert named.app.host(Environment.SANDBOX) == "try.example"
    assert (await apps.create(ports, "B", "b.example")).app.sandbox_domain == "sandbox.b.example"
    with pytest.raises(AppInvalid) as refused:
        await apps.create(ports, "C", "c.example", "c.example")
    assert refused.value.details == {"field": "sandbox_domain"}


@pytest.mark.parametrize(
    "domains", [("chat.example", None), ("other.example", "chat.example"), ("sandbox.chat.example", None)]
)
async def test_a_domain_belongs_to_one_app(ports: Ports, app: NewApp, domains: tuple[str, str | None]) -> None:
    with pytest.raises(AppInvalid):
        await apps.create(ports, "Second", *domains)
    assert len(await ports.apps.list()) == 1


async def test_a_policy_is_stored_and_holds_for_the_next_call(ports: Ports, app: NewApp) -> None:
    policy = Policy(max_sessions=2, registration=RegistrationPolicy.OPEN)
    changed = await apps.set_policy(ports, app.app, policy)
    assert changed == replace(app.app, policy=policy)
    assert (await apps.authenticate_key(ports, app.keys[KeyKind.PUBLISHABLE, Environment.LIVE])).app == changed
    with pytest.raises(AppInvalid):
        await apps.set_policy(ports, app.app, Policy(max_sessions=0))
