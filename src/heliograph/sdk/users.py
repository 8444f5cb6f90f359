"""Finding other users."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph import wire
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Calls


class UserCalls(Calls):
    """The call that finds users."""

    async def get_users_list(
        self,
        search: str = "",
        page: int = 1,
        limit: int = 20,
        metadata: Mapping[str, str | bool | int | float] | None = None,
    ) -> Response[wire.UsersData]:
        """Users of the same app, as far as they let themselves be seen; never the signed-in user.

        Args:
            search: the beginning of an identifier or of a word of a name, or a whole email address or mobile number;
                empty for all.
            page: from 1 on.
            limit: how many users a page has, 1 to 100.
            metadata: entries that the users have to have.

        Raises:
            RequestInvalid, MetadataInvalid: an argument is out of its bounds.
            FeatureDisabled: the app offers no search.
        """
        wanted = None if metadata is None else dict(metadata)
        body = wire.UserSearchRequest(search=search, page=page, limit=limit, metadata=wanted)
        return await self._on.tokens.call("POST", "/users/search", wire.UsersData, body)
