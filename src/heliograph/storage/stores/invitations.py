"""Invitations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.core.invitations import Invitation
from heliograph.errors import AccountNotFound, InvitationInvalid
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer
from heliograph.storage.stores.contacts import Items, change_pair

Decision = Callable[
    [Invitation, RosterItem | None, RosterItem | None, int, int],
    tuple[Invitation, RosterItem | None, RosterItem | None],
]


class SqlInvitations:
    """The adapter of `InvitationStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def add(self, invitation: Invitation, token_hash: bytes) -> None:
        """Store a new invitation; `AccountNotFound` where its owner is gone."""
        row = rows.invitation_row(invitation, token_hash)

        def insert(cursor: Cursor) -> None:
            if cursor.execute(sql.ADD_INVITATION, row).rowcount == 0:
                raise AccountNotFound

        await self._writer.write(insert)

    async def lookup(self, token_hash: bytes) -> Invitation | None:
        """The invitation with the token of that SHA-256."""
        row = await self._reader.row(sql.INVITATION_BY_HASH, (token_hash,))
        return None if row is None else rows.invitation(row)

    async def of(self, owner: str) -> list[Invitation]:
        """All invitations of a user, oldest first."""
        return [rows.invitation(row) for row in await self._reader.rows(sql.INVITATIONS, (owner,))]

    async def accept(self, token_hash: bytes, acceptor: str, decide: Decision) -> list[RosterChange]:
        """One atomic change of the uses and of both rosters."""
        work = partial(_accept, token_hash=token_hash, acceptor=acceptor, decide=decide)
        return await self._writer.write(work, (token_hash.hex(), acceptor), is_in_line=True)

    async def delete(self, owner: str, invitation_id: str) -> bool:
        """Delete an invitation of a user; whether there was one."""

        def delete(cursor: Cursor) -> bool:
            return bool(cursor.execute(sql.DELETE_INVITATION, (invitation_id, owner)).rowcount)

        return await self._writer.write(delete)

    async def forget(self, before: float, limit: int) -> int:
        """Delete invitations that were over before a time; how many these were."""

        def forget(cursor: Cursor) -> int:
            return cursor.execute(sql.FORGET_INVITATIONS, (before, limit)).rowcount

        return await self._writer.write(forget)


def _accept(cursor: Cursor, token_hash: bytes, acceptor: str, decide: Decision) -> list[RosterChange]:
    row = cursor.execute(sql.INVITATION_BY_HASH, (token_hash,)).fetchone()
    if row is None:
        raise InvitationInvalid
    invitation = rows.invitation(row)

    def both(item: RosterItem | None, mirror: RosterItem | None, count: int, mirror_count: int) -> Items:
        used, *items = decide(invitation, item, mirror, count, mirror_count)
        if used != invitation:
            cursor.execute(sql.SET_INVITATION_USES, (used.uses, used.id))
        return items[0], items[1]

    return change_pair(cursor, acceptor, invitation.owner, both)
