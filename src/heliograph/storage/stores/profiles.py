"""Profiles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from heliograph.core import audit, limits, phone_book, profile_history
from heliograph.core.audit import Owner
from heliograph.core.directory import profile_terms
from heliograph.core.profile_history import USER, Editor, ProfileEdit
from heliograph.core.profiles import Profile
from heliograph.errors import AccountNotFound, HeliographError
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer, next_mark
from heliograph.storage.stores.audit import record
from heliograph.storage.stores.directory import keep_terms

_TOKEN_CHARS = 64
"""The length of what names a picture that is kept here; its address ends in it."""

Decision = Callable[[Profile], Profile]


class SqlProfiles:
    """The adapter of `ProfileStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def lookup(self, jid: str) -> Profile | None:
        """The profile of an account, at version 0 where none was saved."""
        row = await self._reader.row(sql.PROFILE_BY_JID, (jid,))
        return None if row is None else rows.profile(row)

    async def update(
        self,
        jid: str,
        decide: Decision,
        editor: Editor = USER,
        meanwhile: Callable[[Profile], None] | None = None,
    ) -> Profile:
        """One atomic change; an unchanged profile writes nothing."""
        work = partial(_update, jid=jid, decide=decide, editor=editor)
        return await self._writer.write(work, (jid,), is_in_line=True, meanwhile=meanwhile)

    async def update_many(
        self, wanted: Sequence[tuple[str, Decision]], editor: Editor, tell: Callable[[int, Profile], None]
    ) -> list[Profile | HeliographError]:
        """Many such changes; those that wait together share a commit, and each is told as soon as that is done."""

        async def one(place: int, jid: str, decide: Decision) -> Profile:
            stored = await self.update(jid, decide, editor)
            tell(place, stored)
            return stored

        work = [one(place, jid, decide) for place, (jid, decide) in enumerate(wanted)]
        done = await asyncio.gather(*work, return_exceptions=True)
        results: list[Profile | HeliographError] = []
        for each in done:
            if not isinstance(each, Profile | HeliographError):
                raise each
            results.append(each)
        return results

    async def of_contacts(self, jid: str, since: int = -1) -> list[Profile]:
        """The profiles (version > 0) of all whom this user is subscribed to, by their marks, above `since`."""
        return [rows.profile(row) for row in await self._reader.rows(sql.CONTACT_PROFILES, (jid, since, since))]

    async def changes(self, jid: str) -> list[ProfileEdit]:
        """The history of a profile, the newest change first."""
        return [rows.profile_edit(row) for row in await self._reader.rows(sql.PROFILE_CHANGES, (jid,))]

    async def recent_statuses(self, jid: str) -> list[str]:
        """The recent statuses of a user, the newest first."""
        return [status for (status,) in await self._reader.rows(sql.RECENT_STATUSES, (jid,))]

    async def forget_status(self, jid: str, status: str | None) -> None:
        """Delete a status from the recent ones, or all of them."""

        def forget(cursor: Cursor) -> None:
            if status is None:
                cursor.execute(sql.FORGET_STATUSES, (jid,))
            else:
                cursor.execute(sql.FORGET_STATUS, (jid, status))

        await self._writer.write(forget)

    async def pictures_in_use(self, tokens: Sequence[str]) -> frozenset[str]:
        """Those of these pictures that a profile or the history of one shows."""
        found = [token for token in tokens if await self._reader.row(sql.PICTURE_IN_USE, (token, token)) is not None]
        return frozenset(found)


def _update(cursor: Cursor, jid: str, decide: Decision, editor: Editor) -> Profile:
    row = cursor.execute(sql.PROFILE_TO_UPDATE, (jid,)).fetchone()
    if row is None:
        raise AccountNotFound
    *columns, account_id, app_id, environment, had_name, phone_hash = row
    before = rows.profile(tuple(columns))
    after = decide(before)
    if after == before:
        return after
    is_new = after.version != before.version
    if is_new:
        after = replace(after, mark=next_mark(cursor, jid))
    if after.mobile != before.mobile:
        phone_hash = phone_book.digest_of(after)
    has_name = bool(had_name or after.name)
    if had_name is None or _looked_up_by(after) != _looked_up_by(before):
        cursor.execute(sql.PUT_PROFILE, rows.profile_row(after, account_id, has_name, phone_hash))
    else:
        cursor.execute(sql.SET_PROFILE, rows.changed_profile_row(after, account_id, has_name))
    keep_terms(cursor, jid, account_id, "profile", profile_terms(before), profile_terms(after))
    if is_new:
        _note(cursor, account_id, before, after, editor)
    owner = Owner(app_id, rows.environment(environment), jid)
    record(cursor, [audit.of_profile(owner, before, after)])
    return after


def _looked_up_by(profile: Profile) -> tuple[str, ...]:
    """What `sql.SET_PROFILE` leaves as it is."""
    return profile.image, profile.thumb_image, profile.mobile


def _note(cursor: Cursor, account_id: int, before: Profile, after: Profile, editor: Editor) -> None:
    """Write the history of a change, and keep its status for choosing again."""
    edit = profile_history.edit(before, after, editor)
    cursor.execute(sql.ADD_PROFILE_CHANGE, (account_id, after.version, rows.profile_edit_text(edit)))
    oldest = after.version - limits.PROFILE_CHANGES_KEPT
    if oldest > 0:
        cursor.execute(sql.TRIM_PROFILE_CHANGES, (account_id, oldest))
        cursor.execute(sql.TRIM_HISTORY_PICTURES, (account_id, oldest))
    if after.image != before.image:
        for image in filter(None, (before.image, after.image)):
            cursor.execute(sql.ADD_HISTORY_PICTURE, (account_id, after.version, image[-_TOKEN_CHARS:]))
    if after.status and after.status != before.status:
        cursor.execute(sql.ADD_RECENT_STATUS, (account_id, after.status, after.mark))
        cursor.execute(sql.TRIM_RECENT_STATUSES, (account_id, account_id, limits.RECENT_STATUSES_KEPT))
