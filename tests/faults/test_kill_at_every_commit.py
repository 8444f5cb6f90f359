"""A process that is killed at any commit leaves the state of one commit, and no acknowledged step is lost.

The story of `dying_children.py` plays all that changes something, and dies just before and just after each commit.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heliograph.core import audit, webhooks
from heliograph.core.audit import Kind
from heliograph.storage import sqlite

CHILDREN = Path(__file__).with_name("dying_children.py")
PATIENCE_S = 900


@dataclass
class Deaths:
    """What the children did, and what they left."""

    digests: list[str]
    steps: dict[str, int]
    deaths: list[dict[str, Any]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Deaths:
    folder = tmp_path_factory.mktemp("deaths")
    done = subprocess.run([sys.executable, CHILDREN, folder], capture_output=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return Deaths(**json.loads(done.stdout))


def test_the_story_has_many_commits_and_dies_at_each(played: Deaths) -> None:
    assert len(played.steps) >= 68
    assert len(played.digests) == max(played.steps.values())
    assert len(set(played.digests)) > 68
    assert len(played.deaths) == 2 * len(played.digests)


def test_what_is_left_is_the_state_of_one_commit_and_the_right_one(played: Deaths) -> None:
    """Before the commit nothing of it is there, after it all of it is: also where nobody was told."""
    for death in played.deaths[2:]:
        last = death["commit"] - (not death["isAfter"])
        assert death["digest"] == played.digests[last - 1], death["folder"]


def test_every_step_that_was_acknowledged_is_there(played: Deaths) -> None:
    for death in played.deaths:
        last = death["commit"] - (not death["isAfter"])
        assert all(played.steps[name] <= last for name in death["told"]), death["folder"]
        expected = [name for name, commit in played.steps.items() if commit < death["commit"]]
        assert death["told"] == expected, death["folder"]


INVARIANTS = {
    "a domain counts its accounts": (
        "SELECT d.domain FROM domains d WHERE d.accounts <> "
        "(SELECT COUNT(*) FROM accounts a WHERE a.app_id = d.app_id AND a.environment = d.environment)"
    ),
    "a live session has verifiers and tokens": (
        "SELECT s.id FROM sessions s WHERE s.ended_at IS NULL AND (s.password_sha256 IS NULL "
        "OR (SELECT COUNT(*) FROM tokens t WHERE t.session = s.number) < 2)"
    ),
    "an ended session has neither": (
        "SELECT s.id FROM sessions s WHERE s.ended_at IS NOT NULL AND (s.password_sha256 IS NOT NULL "
        "OR s.stored_sha256 IS NOT NULL OR EXISTS (SELECT 1 FROM tokens t WHERE t.session = s.number))"
    ),
    "a session that ended is in the trail, and only such a one": (
        "SELECT s.id FROM sessions s WHERE (s.ended_at IS NOT NULL) <> "
        "EXISTS (SELECT 1 FROM audit e WHERE e.session_id = s.id AND e.kind = 'session.ended')"
    ),
    "a session that began is in the trail once": (
        "SELECT s.id FROM sessions s WHERE 1 <> "
        "(SELECT COUNT(*) FROM audit e WHERE e.session_id = s.id AND e.kind = 'session.created')"
    ),
    "a blocked or deleted user has no live session": (
        "SELECT a.jid FROM accounts a JOIN sessions s ON s.account_id = a.id AND s.ended_at IS NULL "
        "WHERE a.is_blocked = 1 OR a.deleted_at IS NOT NULL"
    ),
    "a user has at most as many sessions as the app lets": (
        "SELECT account_id FROM sessions WHERE ended_at IS NULL GROUP BY account_id HAVING COUNT(*) > 2"
    ),
    "a profile's version is what the trail tells": (
        "SELECT a.jid FROM profiles p JOIN accounts a ON a.id = p.account_id WHERE p.version <> "
        "(SELECT COUNT(*) FROM audit e WHERE e.jid = a.jid AND e.kind = 'profile.updated')"
    ),
    "friends are friends on both sides": (
        "SELECT r.contact FROM rosters r JOIN accounts o ON o.id = r.owner_id JOIN accounts c ON c.jid = r.contact "
        "WHERE r.subscription = 'both' AND NOT EXISTS (SELECT 1 FROM rosters b WHERE b.owner_id = c.id "
        "AND b.contact = o.jid AND b.subscription = 'both')"
    ),
    "a webhook counts what waits for it": (
        "SELECT w.id FROM webhooks w WHERE w.waiting <> "
        "(SELECT COUNT(*) FROM webhook_messages m WHERE m.webhook_id = w.id AND m.is_dead = 0)"
    ),
}


def test_nothing_is_half_done(played: Deaths) -> None:
    for death in played.deaths:
        connection = sqlite3.connect(Path(death["folder"]) / "heliograph.db")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit'").fetchone():
            continue
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for name, query in INVARIANTS.items():
            assert connection.execute(query).fetchall() == [], f"{name}: {death['folder']}"
        connection.close()


async def test_every_event_is_in_a_whole_trail_and_waits_for_its_webhook(played: Deaths) -> None:
    for death in played.deaths[4:]:
        async with sqlite.open(Path(death["folder"]) / "heliograph.db") as stores:
            [(app, _)] = await stores.apps.list()
            head, problem = await audit.verify(stores.audit, app.id)
            assert problem is None, death["folder"]
            events = [entry.event for entry in await stores.audit.chain(app.id, 0, 1000)]
            added = [event.kind for event in events].index(Kind.WEBHOOK_ADDED) if death["commit"] > 3 else head.number
            for webhook in await stores.webhooks.list():
                assert webhook.waiting == sum(event.kind in webhooks.KINDS for event in events[added:])
