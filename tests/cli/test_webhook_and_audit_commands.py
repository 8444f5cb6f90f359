"""`heliograph webhook` and `heliograph audit`, beside a running node."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any

import pytest

from heliograph.core import accounts
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Environment, NewApp
from heliograph.node import Node


async def register(node: Node, known: NewApp, identifier: str) -> Any:
    caller = Caller(known.app, Environment.SANDBOX, is_backend=False)
    return await accounts.register(node.ports, caller, RegisterRequest(identifier))


async def test_the_life_of_a_webhook(cli: Any, node: Node, known: NewApp) -> None:
    silent = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/hooks"
    said = await cli.run("webhook", "add", known.app.id, url, "--event", "user.registered", "--sandbox", "--json")
    made = json.loads(said)
    assert made["secret"].startswith("whsec_")
    await register(node, known, "ada")
    [listed] = json.loads(await cli.run("webhook", "list", "--json"))
    assert listed == {**{name: value for name, value in made.items() if name != "secret"}, "waiting": 1}
    tested = await cli.try_("webhook", "test", made["id"])
    assert tested.status == 1
    assert tested.err.startswith("remote_failed: The server at that address")
    assert await cli.run("webhook", "dead", made["id"]) == ""
    assert "0 messages" in await cli.run("webhook", "replay", made["id"])  # and perhaps a line of the node's log
    await cli.run("webhook", "remove", made["id"])
    assert await cli.run("webhook", "list") == ""
    assert (await cli.try_("webhook", "remove", made["id"])).err.startswith("webhook_not_found")
    silent.close()


async def test_a_webhook_needs_https_unless_a_network_is_allowed(cli: Any, known: NewApp) -> None:
    cli.environment = {}
    refused = await cli.try_("webhook", "add", known.app.id, "http://127.0.0.1/hooks")
    assert (refused.status, refused.err) == (1, "webhook_invalid: A webhook's address begins with https://\n")


async def test_the_trail_is_listed_and_verified(cli: Any, node: Node, known: NewApp) -> None:
    await register(node, known, "ada")
    await register(node, known, "bob")
    lines = (await cli.run("audit", "list", known.app.id, "--sandbox", "--user", "bob")).splitlines()
    assert [line.split()[2] for line in lines] == ["session.created", "user.registered"]
    [newest] = (await cli.run("audit", "list", known.app.id, "--sandbox", "--limit", "1", "--json")).splitlines()
    assert json.loads(newest)["userJid"] == "bob@sandbox.localhost"
    app_id, head, verdict = (await cli.run("audit", "verify")).split()
    assert (app_id, verdict) == (known.app.id, "whole")
    await register(node, known, "eve")
    assert "whole" in await cli.run("audit", "verify", known.app.id, "--head", head)


MOVED = """
UPDATE audit SET number = CASE number WHEN 3 THEN 1000 WHEN 4 THEN 3 ELSE number END WHERE number IN (3, 4);
UPDATE audit SET number = 4 WHERE number = 1000;
"""
BEGINNING = """
UPDATE audit_heads SET kept_after = 2, anchor = (SELECT hash FROM audit WHERE number = 2);
DELETE FROM audit WHERE number <= 2;
"""
TAMPERING = {
    "edited": ('UPDATE audit SET facts = \'{"reason":"logout"}\' WHERE number = 3', "entry 3 was changed"),
    "removed": ("DELETE FROM audit WHERE number = 3", "entry 3 is missing"),
    "removed at the end": ("DELETE FROM audit WHERE number = 5", "the trail ends at entry 4"),
    "moved": (MOVED, "entry 3 was changed"),
    "cut at the beginning": (BEGINNING, "the entries up to 2 are missing, and none says that they were let go"),
}


@pytest.mark.parametrize("how", TAMPERING)
async def test_who_changes_the_trail_in_the_database_is_found_out(
    cli: Any, node: Node, known: NewApp, how: str
) -> None:
    await register(node, known, "ada")
    await register(node, known, "bob")
    statements, finding = TAMPERING[how]
    connection = sqlite3.connect(cli.folder / "heliograph.db")
    connection.executescript(statements)
    connection.close()
    said = await cli.try_("audit", "verify")
    assert said.status == 1
    assert finding in said.out


async def test_a_chain_that_was_made_anew_is_found_out_by_a_noted_head(cli: Any, node: Node, known: NewApp) -> None:
    await register(node, known, "ada")
    _, head, _ = (await cli.run("audit", "verify")).split()
    connection = sqlite3.connect(cli.folder / "heliograph.db")
    connection.executescript("DELETE FROM audit; DELETE FROM audit_heads")
    connection.close()
    for name in ("bob", "eve"):
        await register(node, known, name)
    assert "whole" in await cli.run("audit", "verify")
    said = await cli.try_("audit", "verify", known.app.id, "--head", head)
    assert said.status == 1
    assert "entry 3 is not the one that was noted" in said.out
