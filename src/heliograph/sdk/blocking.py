"""Blocking users."""

from __future__ import annotations

from types import NoneType

from heliograph import wire
from heliograph.sdk.api import segment
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Calls


class BlockingCalls(Calls):
    """The calls around the block list."""

    async def block_user(self, user_identifier: str) -> Response[wire.BlockedUserBody]:
        """Block a user: neither sees the other's profile and presence any more, and messages between them fail.

        Raises:
            AccountNotFound: there is no such user.
            BlockInvalid: it is the user's own identifier.
            BlockLimit: the block list is full.
        """
        return await self._on.tokens.call("PUT", f"/blocked/{segment(user_identifier)}", wire.BlockedUserBody)

    async def unblock_user(self, user_identifier: str) -> Response[None]:
        """Unblock a user; it is no error if the user was not blocked.

        Raises:
            BlockInvalid: it is the user's own identifier.
        """
        return await self._on.tokens.call("DELETE", f"/blocked/{segment(user_identifier)}", NoneType)

    async def get_users_i_blocked(self) -> Response[wire.BlockedData]:
        """The users whom the signed-in user blocks."""
        return await self._on.tokens.call("GET", "/blocked", wire.BlockedData)
