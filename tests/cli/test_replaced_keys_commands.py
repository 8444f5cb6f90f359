"""`heliograph app replace-key` and `replace-assertion-key`, beside a running node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.errors import LicenseInvalid
from heliograph.node import Node

SECRET_LIVE = (KeyKind.SECRET, Environment.LIVE)
PUBLISHABLE_SANDBOX = (KeyKind.PUBLISHABLE, Environment.SANDBOX)


async def test_a_secret_key_that_leaked_is_refused_at_once(cli: Any, node: Node, known: NewApp) -> None:
    new = (await cli.run("app", "replace-key", known.app.id, "secret")).strip()
    assert new.startswith("hg_sk_live_")
    caller = await apps.authenticate_key(node.ports, new)
    assert (caller.app, caller.environment, caller.is_backend) == (known.app, Environment.LIVE, True)
    with pytest.raises(LicenseInvalid):
        await apps.authenticate_key(node.ports, known.keys[SECRET_LIVE])
    for which in known.keys.keys() - {SECRET_LIVE}:
        assert (await apps.authenticate_key(node.ports, known.keys[which])).app == known.app


async def test_a_key_in_clients_may_stay_beside_the_new_one_which_alone_is_listed(
    cli: Any, node: Node, known: NewApp
) -> None:
    words = ("app", "replace-key", known.app.id, "publishable", "--sandbox", "--keep-days", "30", "--json")
    new = json.loads(await cli.run(*words))["key"]
    for key in (new, known.keys[PUBLISHABLE_SANDBOX]):
        assert (await apps.authenticate_key(node.ports, key)).environment is Environment.SANDBOX
    listed = json.loads(await cli.run("app", "list", "--json"))[0]["publishableKeys"]
    assert set(listed) == {new, known.keys[KeyKind.PUBLISHABLE, Environment.LIVE]}


async def test_the_audit_trail_tells_of_it_and_holds_no_key(cli: Any, node: Node, known: NewApp) -> None:
    new = (await cli.run("app", "replace-key", known.app.id, "secret")).strip()
    private = await cli.run("app", "replace-assertion-key", known.app.id)
    trail = await cli.run("audit", "list", known.app.id, "--json")
    assert trail.count("app.key_replaced") == 2
    assert new not in trail
    stored = await node.ports.apps.lookup(known.app.id)
    assert stored is not None
    assert stored.assertion_key != known.app.assertion_key
    assert json.loads(private)["x"] == json.loads(stored.assertion_key)["x"]
    assert "d" not in json.loads(stored.assertion_key)


async def test_more_than_a_year_and_another_kind_are_refused(cli: Any) -> None:
    for words in (("secret", "--keep-days", "366"), ("public",)):
        assert (await cli.try_("app", "replace-key", "app_1", *words)).status == 2
    assert "There is no such app" in (await cli.try_("app", "replace-key", "app_1", "secret")).err
