"""What signing in by XMPP takes."""

from __future__ import annotations

from heliograph.core.sign_ins import Owed, SignedIn, SigningIn
from heliograph.storage import sql
from heliograph.storage.database import Reader


class SqlSignIns:
    """The adapter of `SignInStore`; its methods are documented there."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def by_password(self, jid: str) -> SigningIn | None:
        """The account of that bare JID."""
        found = await self._reader.rows(sql.SIGNING_IN, (jid,))
        if not found:
            return None
        account_id, salt, iterations, is_blocked, expires_at, purge_at, has_blocks = found[0][: sql.SIGNING_IN_WIDTH]
        ends = [end for end in (expires_at, purge_at) if end is not None]
        verifiers = [row[sql.SIGNING_IN_WIDTH :] for row in found if row[sql.SIGNING_IN_WIDTH] is not None]
        ends_at = min(ends) if ends else None
        return SigningIn(account_id, salt, iterations, bool(is_blocked), ends_at, bool(has_blocks), verifiers)

    async def signed_in(self, session_id: str) -> SignedIn | None:
        """The account of a live session, and whom it blocks."""
        found = await self._reader.rows(sql.SIGNED_IN, (session_id,))
        if not found:
            return None
        account_id, is_blocked, _ = found[0]
        return SignedIn(account_id, bool(is_blocked), frozenset(row[2] for row in found if row[2] is not None))

    async def owed(self, account_id: int) -> Owed:
        """What waits for a user."""
        (row,) = await self._reader.rows(sql.OWED, (account_id,) * 4)
        return Owed(*map(bool, row))
