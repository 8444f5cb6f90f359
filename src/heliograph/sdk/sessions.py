"""The user's device sessions, and the tokens of this one."""

from __future__ import annotations

from types import NoneType

from heliograph import wire
from heliograph.sdk.api import segment
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Calls


class SessionCalls(Calls):
    """The calls that list and end sessions, and those about tokens."""

    async def get_sessions(self) -> Response[wire.SessionsData]:
        """The user's live sessions, least recently active first."""
        return await self._on.tokens.call("GET", "/sessions", wire.SessionsData)

    async def logout_session(self, session_id: str) -> Response[None]:
        """End one session. Its device is told and disconnected; the others notice nothing.

        Raises:
            SessionNotFound: no live session of the user has that id.
        """
        return await self._on.tokens.call("DELETE", f"/sessions/{segment(session_id)}", NoneType)

    async def logout_other_sessions(self) -> Response[wire.EndedData]:
        """End all sessions but this one."""
        return await self._end_others(only_web=False)

    async def logout_web_sessions(self) -> Response[wire.EndedData]:
        """End all other sessions that a browser holds."""
        return await self._end_others(only_web=True)

    async def _end_others(self, *, only_web: bool) -> Response[wire.EndedData]:
        body = wire.EndOthersRequest(only_web=only_web)
        return await self._on.tokens.call("POST", "/sessions/end-others", wire.EndedData, body)

    async def set_user_token(self, token: str) -> Response[None]:
        """Set the token for API calls; nothing is sent.

        Args:
            token: an access token; or an identity assertion, a JWT of the app's backend that the next `register` takes
                along; or `""` to forget all tokens and credentials that API calls would use.

        Raises:
            TokenMalformed: it is neither. Now and below, the token from before stays.
            TokenExpired: the JWT's time is over.
            TokenSubjectMismatch: the JWT is of another user than the signed-in one.
        """
        runtime = self._on
        runtime.tokens.set(token, runtime.username)
        return Response(200, "Success", None)

    async def get_user_token(self, username: str, password: str) -> Response[wire.Tokens]:
        """Get new tokens for the credentials of a device session, for use elsewhere or with `set_user_token`.

        Raises:
            AuthenticationFailed: no live session of such a user has that password.
            AdminBlocked: the user is blocked.
        """
        body = wire.TokenRequest(username=username, password=password)
        return await self._on.api.call("POST", "/tokens", wire.Tokens, body)
