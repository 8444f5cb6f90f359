"""`heliograph user` and `heliograph session`, beside a running node."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import pytest

from heliograph.core import accounts, audit
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Environment, NewApp
from heliograph.core.sessions import Device
from heliograph.errors import AccountDeleted, AdminBlocked
from heliograph.node import Node

JID = "ada@sandbox.localhost"


async def register(node: Node, known: NewApp) -> Any:
    caller = Caller(known.app, Environment.SANDBOX, is_backend=True)
    return await accounts.register(node.ports, caller, RegisterRequest("ada", device=Device("Pixel", ip="192.0.2.1")))


async def test_the_command_says_which_version_it_is(cli: Any) -> None:
    assert await cli.run("--version") == f"heliograph {version('heliograph')}\n"


async def test_an_operator_sees_ends_blocks_and_deletes(cli: Any, node: Node, known: NewApp) -> None:
    first, second = await register(node, known), await register(node, known)
    whom = (known.app.id, "ada", "--sandbox")
    assert json.loads(await cli.run("user", "show", *whom, "--json"))["userJid"] == JID
    lines = (await cli.run("session", "list", *whom)).splitlines()
    assert [line.split()[0] for line in lines] == [first.session.id, second.session.id]
    assert lines[0].endswith("192.0.2.1  Pixel")
    await cli.run("session", "end", known.app.id, "ada", first.session.id, "--sandbox")
    assert [each.id for each in await node.ports.sessions.live(first.account.id)] == [second.session.id]
    assert await cli.run("user", "logout", *whom) == "1 sessions ended\n"
    await cli.run("user", "block", *whom)
    with pytest.raises(AdminBlocked):
        await register(node, known)
    await cli.run("user", "unblock", *whom)
    await cli.run("user", "delete", *whom, "--immediately")
    assert (await cli.try_("user", "show", *whom)).err == "account_not_found: There is no such user\n"
    told = [entry.event.kind.value for entry in await node.ports.audit.of_user(JID, 0.0, 10**9, 50)]
    assert told[:4] == ["user.purged", "user.deleted", "user.unblocked", "user.blocked"]
    assert (await audit.verify(node.ports.audit, known.app.id))[1] is None


async def test_a_deletion_is_undone(cli: Any, node: Node, known: NewApp) -> None:
    caller = Caller(known.app, Environment.LIVE, is_backend=True)
    await accounts.register(node.ports, caller, RegisterRequest("ada"))
    assert (await cli.run("user", "delete", known.app.id, "ada")).startswith("gone for good at 20")
    with pytest.raises(AccountDeleted):
        await accounts.register(node.ports, caller, RegisterRequest("ada"))
    await cli.run("user", "undo", known.app.id, "ada")
    await accounts.register(node.ports, caller, RegisterRequest("ada"))


async def test_users_are_listed_by_page(cli: Any, node: Node, known: NewApp) -> None:
    caller = Caller(known.app, Environment.LIVE, is_backend=True)
    for name in ("bob", "ada", "eve"):
        await accounts.register(node.ports, caller, RegisterRequest(name))
    await cli.run("user", "block", known.app.id, "eve")
    lines = (await cli.run("user", "list", known.app.id)).splitlines()
    assert [line.split()[0] for line in lines] == ["ada", "bob", "eve"]
    assert lines[2].endswith("blocked")
    [second] = json.loads(await cli.run("user", "list", known.app.id, "--after", "ada", "--limit", "1", "--json"))
    assert second["userId"] == "bob"
    assert json.loads(await cli.run("user", "list", known.app.id, "--prefix", "e", "--json"))[0]["isAdminBlocked"]


async def test_an_unknown_app_or_session_is_told(cli: Any, node: Node, known: NewApp) -> None:
    await register(node, known)
    assert (await cli.try_("user", "show", "app_none", "ada")).err.startswith("app_invalid")
    said = await cli.try_("session", "end", known.app.id, "ada", "ses_none", "--sandbox")
    assert (said.status, said.err) == (1, "session_not_found: There is no such session\n")
