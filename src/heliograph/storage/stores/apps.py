"""Apps and their keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from heliograph.core import apps, audit
from heliograph.core.apps import App, AppKey, Environment
from heliograph.core.audit import Kind
from heliograph.errors import AppInvalid
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer
from heliograph.storage.stores.audit import record


class SqlApps:
    """The adapter of `AppStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def add(self, app: App, keys: Sequence[AppKey]) -> None:
        """Store an app with its keys; `AppInvalid` where its id or a domain of it is taken."""
        await self._writer.write(partial(_add, app=app, keys=keys), is_in_line=True)

    async def lookup(self, app_id: str) -> App | None:
        """The app of that id."""
        row = await self._reader.row(sql.APP_BY_ID, (app_id,))
        return None if row is None else rows.app(row)

    async def lookup_key(self, key_hash: bytes) -> tuple[App, AppKey] | None:
        """The key of that SHA-256 and its app."""
        row = await self._reader.row(sql.APP_BY_KEY, (key_hash,))
        return None if row is None else (rows.app(row[: rows.APP_WIDTH]), rows.app_key(row[rows.APP_WIDTH :]))

    async def lookup_domain(self, domain: str) -> tuple[App, Environment] | None:
        """Whose JID domain this is."""
        row = await self._reader.row(sql.APP_BY_DOMAIN, (domain,))
        return None if row is None else (rows.app(row[: rows.APP_WIDTH]), rows.environment(row[rows.APP_WIDTH]))

    async def list(self) -> list[tuple[App, list[AppKey]]]:
        """All apps with their keys, oldest first."""
        keys = [rows.app_key(row) for row in await self._reader.rows(sql.APP_KEYS)]
        by_app = {app_id: [*group] for app_id, group in groupby(keys, key=lambda key: key.app_id)}
        apps = [rows.app(row) for row in await self._reader.rows(sql.APPS)]
        return [(app, by_app.get(app.id, [])) for app in apps]

    async def set_policy(self, app: App, now: float) -> None:
        """Store the app's policy."""
        await self._writer.write(partial(_set_policy, app=app, now=now), is_in_line=True)

    async def replace_key(self, app: App, key: AppKey, until: float) -> None:
        """Add a key; the app's others of its kind and environment are in force up to `until` at most."""
        await self._writer.write(partial(_replace_key, app=app, key=key, until=until), is_in_line=True)

    async def set_assertion_key(self, app: App, now: float) -> None:
        """Store the app's assertion key."""
        await self._writer.write(partial(_set_assertion_key, app=app, now=now), is_in_line=True)


def _add(cursor: Cursor, app: App, keys: Sequence[AppKey]) -> None:
    if cursor.execute(sql.ADD_APP, rows.app_row(app)).rowcount == 0:
        raise AppInvalid("There is an app of this id", details={"field": "id"})
    for environment, field in ((Environment.LIVE, "domain"), (Environment.SANDBOX, "sandbox_domain")):
        domain = app.host(environment)
        if cursor.execute(sql.ADD_DOMAIN, (domain, app.id, environment.value)).rowcount == 0:
            raise AppInvalid(f"The domain {domain} belongs to an app already", details={"field": field})
    cursor.executemany(sql.ADD_APP_KEY, [rows.app_key_row(key) for key in keys])
    record(cursor, [audit.of_app(Kind.APP_CREATED, app, app.created_at, {"name": app.name})])


def _set_policy(cursor: Cursor, app: App, now: float) -> None:
    row = cursor.execute(sql.APP_BY_ID, (app.id,)).fetchone()
    if row is None:
        return
    changed = apps.changed_policy(rows.app(row).policy, app.policy)
    cursor.execute(sql.SET_POLICY, (rows.policy_text(app.policy), app.id))
    record(cursor, [audit.of_app(Kind.APP_POLICY_CHANGED, app, now, {"changed": changed})] if changed else [])


def _replace_key(cursor: Cursor, app: App, key: AppKey, until: float) -> None:
    now = key.created_at
    cursor.execute(sql.EXPIRE_APP_KEYS, (until, app.id, key.kind.value, key.environment.value, until))
    cursor.execute(sql.FORGET_APP_KEYS, (app.id, now))
    cursor.execute(sql.ADD_APP_KEY, rows.app_key_row(key))
    facts = {"key": key.kind.value, "environment": key.environment.value, "until": math.ceil(until)}
    record(cursor, [audit.of_app(Kind.APP_KEY_REPLACED, app, now, facts)])


def _set_assertion_key(cursor: Cursor, app: App, now: float) -> None:
    cursor.execute(sql.SET_ASSERTION_KEY, (app.assertion_key, app.id))
    record(cursor, [audit.of_app(Kind.APP_KEY_REPLACED, app, now, {"key": "assertion"})])
