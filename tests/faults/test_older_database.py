"""A database that an older version has written goes on with this one, and nothing that came since is missing of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from heliograph.core import directory
from heliograph.core.directory import Query
from heliograph.storage import migrations, sqlite

NOW = 1_800_000_000.0
USERS = 250


def written_at(version: int, database: Path) -> None:
    """An app with users, each of whom has a profile, as that version has stored them."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE schema_versions (version INTEGER PRIMARY KEY)")
        for step in migrations.load(migrations.SQLITE):
            if step.version <= version:
                for statement in step.statements:
                    connection.execute(statement)
                connection.execute("INSERT INTO schema_versions VALUES (?)", (step.version,))
        connection.execute("INSERT INTO apps VALUES ('app_1', 'Chat', '{}', '{}', ?)", (NOW,))
        connection.execute("INSERT INTO domains VALUES ('chat.example', 'app_1', 'live', ?)", (USERS,))
        for number in range(1, USERS + 1):
            account = (number, f"user-{number:03}@chat.example", b"0123456789abcdef", '{"level":7}', NOW)
            connection.execute("INSERT INTO accounts VALUES (?, ?, 'app_1', 'live', ?, 4096, ?, 0, ?, NULL)", account)
            connection.execute(
                "INSERT INTO profiles VALUES (?, 1, ?, '', '', '', '', '', '', '{}', ?, 1)",
                (number, f"Person {number:03}", NOW),
            )
        connection.commit()


async def test_users_who_are_older_than_the_directory_are_found(tmp_path: Path) -> None:
    database = tmp_path / "heliograph.db"
    written_at(7, database)
    async with sqlite.open(database) as stores:

        async def found(text: str) -> list[str]:
            query = Query("user-001@chat.example", directory.spans(text), (), NOW, 0, 10)
            return [entry.profile.jid for entry in (await stores.directory.search(query)).entries]

        assert await found("person 007") == []
        batches = 0
        while await stores.directory.fill_in(100):
            batches += 1
        assert batches == 3
        assert await found("person 007") == ["user-007@chat.example"]
        assert await found("user-250") == ["user-250@chat.example"]
    async with sqlite.open(database) as stores:
        assert await stores.directory.fill_in(100) == 0
