"""A copy of a database that is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from heliograph.errors import SettingsInvalid

_PAGES_A_STEP = 2000
_PAUSE_S = 0.005


def copy(source: Path, target: Path) -> int:
    """Copy a database as it stands at one moment, while others read and write it; gives its schema's version.

    Args:
        source: the database.
        target: the copy, which is not there yet. It has no log beside it, so the one file is all.

    Raises:
        SettingsInvalid: the database cannot be read, or its copy is not whole.
    """
    try:
        target.touch(mode=0o600, exist_ok=False)
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as before,
            closing(sqlite3.connect(target)) as after,
        ):
            before.execute("BEGIN")  # one moment, however long the copy takes and whatever is written meanwhile
            before.execute("SELECT 1 FROM sqlite_master").fetchone()
            before.backup(after, pages=_PAGES_A_STEP, sleep=_PAUSE_S)
            after.execute("PRAGMA journal_mode = DELETE")
            faults = [text for (text,) in after.execute("PRAGMA integrity_check(1)") if text != "ok"]
            version = after.execute("SELECT MAX(version) FROM schema_versions").fetchone()[0]
    except (OSError, sqlite3.Error) as error:
        raise SettingsInvalid(f"{source}: {error}", details={"settings": ["data_dir"]}) from error
    if faults:
        raise SettingsInvalid(f"{source}: the copy is damaged: {faults[0]}", details={"settings": ["data_dir"]})
    return int(version)
