"""The database that the settings name. It stands apart from the node, so that a program which only reads records starts
quickly.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

from heliograph.errors import SettingsInvalid
from heliograph.settings import Settings
from heliograph.storage import sqlite
from heliograph.storage.sqlite import connection as sqlite_connection
from heliograph.storage.stores import Stores


def open_stores(settings: Settings) -> contextlib.AbstractAsyncContextManager[Stores]:
    """The stores over the database of the settings.

    Raises:
        SettingsInvalid: the library for it is missing, or (on entering) the database cannot be opened.
    """
    if settings.database_url is None:
        return sqlite.open(settings.sqlite_file)
    with extra("database_url", "PostgreSQL", "postgres"):
        from heliograph.storage import postgres  # noqa: PLC0415 - an optional library
    return postgres.open(settings.database_url.get_secret_value(), settings.database_connections_max)


async def migrate_database(settings: Settings) -> tuple[int, int]:
    """Bring the database of the settings to this code's version; the version that it had, 0 for none, and that it has.

    Raises:
        SettingsInvalid: the library for it is missing, or the database cannot be used.
    """
    if settings.database_url is None:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return await asyncio.to_thread(sqlite_connection.migrate, settings.sqlite_file)
    with extra("database_url", "PostgreSQL", "postgres"):
        from heliograph.storage.postgres import connection  # noqa: PLC0415 - an optional library
    return await connection.migrate(settings.database_url.get_secret_value())


@contextmanager
def extra(setting: str, what: str, name: str) -> Iterator[None]:
    """What is imported here comes with an extra; where that is missing, the setting that asks for it cannot be had.

    Args:
        setting: that asks for it.
        what: it asks for.
        name: of the extra.

    Raises:
        SettingsInvalid: the extra is not installed.
    """
    try:
        yield
    except ImportError:
        raise invalid(setting, f"{what} takes the extra heliograph[{name}]") from None


def invalid(setting: str, reason: str) -> SettingsInvalid:
    """The error of a setting that cannot be had, and why."""
    return SettingsInvalid(f"{setting}: {reason}", details={"settings": [setting]})
