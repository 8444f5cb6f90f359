"""What was acknowledged survives a kill in the middle of the next write."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heliograph.core import opaque
from heliograph.core.sessions import Verifiers
from heliograph.storage import sqlite
from heliograph.xmpp.scram import derive

CHILD = Path(__file__).with_name("acknowledging_child.py")


def killed_in_the_middle(database: Path, what: str, after: int) -> list[dict[str, Any]]:
    """Run the child, kill it once it has acknowledged that many writes, and return all that it acknowledged."""
    with subprocess.Popen([sys.executable, CHILD, database, what], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(after)]
        child.kill()
        lines += child.stdout.readlines()
    assert child.returncode == -9
    whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
    assert len(whole) >= after
    return whole


def verifiers_of(password: str, salt: bytes, iterations: int) -> Verifiers:
    return Verifiers(
        *derive(password, salt, iterations, "sha1"),
        *derive(password, salt, iterations, "sha256"),
        sha256=hashlib.sha256(password.encode()).digest(),
    )


@pytest.mark.parametrize("after", [1, 300, 2000])
async def test_every_acknowledged_registration_survives(tmp_path: Path, after: int) -> None:
    database = tmp_path / "heliograph.db"
    acknowledged = killed_in_the_middle(database, "register", after)
    async with sqlite.open(database) as stores:
        for entry in acknowledged:
            found = await stores.sessions.verifiers(entry["jid"])
            assert found is not None
            account, sessions = found
            live = await stores.sessions.lookup(entry["session"])
            if live is None:  # a later registration, acknowledged or not, may have evicted it for want of room
                assert len(sessions) == 100
                continue
            assert live[0] == account
            expected = verifiers_of(entry["password"], account.salt, account.iterations)
            assert dict(sessions)[entry["session"]] == expected
            for token in entry["tokens"]:
                stored = await stores.tokens.lookup(opaque.digest(token))
                assert stored is not None
                assert stored[1].id == entry["session"]


async def test_the_database_is_whole_and_its_counts_are_right_after_a_kill(tmp_path: Path) -> None:
    database = tmp_path / "heliograph.db"
    killed_in_the_middle(database, "register", 500)
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    (accounts,) = connection.execute("SELECT COUNT(*) FROM accounts").fetchone()
    assert connection.execute("SELECT accounts FROM domains WHERE environment = 'live'").fetchone() == (accounts,)
    tokens = "(SELECT COUNT(*) FROM tokens WHERE session = s.number)"
    halves = f"SELECT COUNT(*) FROM sessions s WHERE ended_at IS NULL AND {tokens} <> 2"
    assert connection.execute(halves).fetchone() == (0,)
    connection.close()


async def test_every_acknowledged_profile_version_survives(tmp_path: Path) -> None:
    database = tmp_path / "heliograph.db"
    entries = killed_in_the_middle(database, "profiles", 1000)
    acknowledged = [entry for entry in entries if "version" in entry]  # the others are the users' registrations
    newest: dict[str, dict[str, Any]] = {}
    for entry in acknowledged:
        if entry["version"] >= newest.get(entry["jid"], entry)["version"]:
            newest[entry["jid"]] = entry
    assert len({(entry["jid"], entry["version"]) for entry in acknowledged}) == len(acknowledged)
    async with sqlite.open(database) as stores:
        for jid, entry in newest.items():
            stored = await stores.profiles.lookup(jid)
            assert stored is not None
            assert stored.version >= entry["version"]
            assert (stored.name == entry["name"]) == (stored.version == entry["version"])
