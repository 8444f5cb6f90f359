"""Register, connect, log out, delete."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType

from heliograph import wire
from heliograph.errors import AlreadyConnected, AuthenticationFailed
from heliograph.sdk.response import Response, UserJidData
from heliograph.sdk.runtime import Calls
from heliograph.sdk.stream import Credentials
from heliograph.xmpp.jid import JidMalformed, prepare_local


class AccountCalls(Calls):
    """The calls by which a user signs in and out."""

    async def register(
        self,
        user_identifier: str,
        force_register: bool = True,
        register_meta_data: Mapping[str, str | bool | int | float] | None = None,
        *,
        replace_session: str | None = None,
        idempotency_key: str | None = None,
    ) -> Response[wire.RegisterData]:
        """Register a user or, of a user that exists, a further device. The password is this device's own.

        Args:
            user_identifier: 1 to 191 characters out of `a-z`, `0-9`, `_` and `-`.
            force_register: where the user has as many sessions as may be, end the least recently active one (`True`) or
                fail (`False`).
            register_meta_data: at most 3 entries of str, bool, int or float; `None` leaves what is stored.
            replace_session: the id of a session that makes room, whether or not the user is at the cap.
            idempotency_key: where a call raised `TimedOut` or `Unreachable`, the same call with the same key makes no
                second session: the one of the lost answer gets new credentials.

        Raises:
            IdentifierInvalid, MetadataInvalid: an argument breaks its rule.
            SessionLimit: the user is at the cap; `details["sessions"]` lists the sessions.
            SessionNotFound: there is no such session to replace.
            RegistrationUnverified: a live key needs an identity assertion (see `set_user_token`).
            AlreadyConnected: this SDK is connected as another user.
            AdminBlocked, AccountDeleted, SandboxFull, RateLimited: not this user, or not now.
            IdempotencyMismatch, AlreadyUsed: the key is that of another call, or its session has ended.
        """
        runtime = self._on
        if runtime.connection.user_jid not in (None, f"{user_identifier}@{runtime.config.domain}"):
            raise AlreadyConnected
        body = wire.RegisterRequest(
            user_identifier=user_identifier,
            force_register=force_register,
            replace_session=replace_session,
            register_meta_data=None if register_meta_data is None else dict(register_meta_data),
            device=runtime.device,
        )
        bearer = runtime.tokens.assertion
        response = await runtime.api.call(
            "POST", "/register", wire.RegisterData, body, bearer=bearer, idempotency_key=idempotency_key
        )
        runtime.tokens.registered(response.data)
        runtime.username = response.data.username
        return response

    async def connect(self, username: str, password: str) -> Response[None]:
        """Connect to XMPP with what `register` gave; a connection that is lost is made again by itself.

        Raises:
            AuthenticationFailed: no live session of such a user has that password.
            AdminBlocked: the user is blocked.
            Unreachable, TimedOut: there was no connection to be had; it is not tried again by itself.
            AlreadyConnected: connected as another user. As the same user, nothing happens.
        """
        runtime = self._on
        try:
            credentials = Credentials(prepare_local(username), runtime.config.domain, password)
        except JidMalformed:
            raise AuthenticationFailed from None
        await runtime.connection.connect(credentials)
        runtime.username = credentials.username
        runtime.tokens.connected(credentials.username, password)
        return Response(200, "Login Success", None)

    async def logout(self) -> Response[None]:
        """End this device's session, and with it the connection and the password."""
        response = await self._on.tokens.call("DELETE", "/sessions/current", NoneType)
        await self._on.log_out("logout")
        return response

    async def delete_my_account(self, reason: str = "", feedback: str = "") -> Response[wire.DeletionData]:
        """Delete the signed-in user on all devices. Until `data.purge_at` the app can restore the user.

        Args:
            reason: why, for the app.
            feedback: whatever else the user wants to say; each at most 2000 characters.

        Raises:
            StepUpRequired: this session was linked by QR code.
            FeatureDisabled: the app does not let users delete themselves.
        """
        body = wire.DeletionRequest(reason=reason, feedback=feedback)
        response = await self._on.tokens.call("DELETE", "/account", wire.DeletionData, body)
        await self._on.log_out("account_deleted")
        return response

    async def get_meta_data(self) -> Response[wire.MetaDataBody]:
        """The signed-in user's metadata."""
        return await self._on.tokens.call("GET", "/metadata", wire.MetaDataBody)

    async def update_meta_data(
        self, meta_data: Mapping[str, str | bool | int | float | None]
    ) -> Response[wire.MetaDataBody]:
        """Set entries of the signed-in user's metadata; `None` removes one, and what is not named stays.

        Raises:
            MetadataInvalid: what comes of it breaks the limits; nothing is changed.
        """
        body = wire.MetaDataPatch(meta_data=dict(meta_data))
        return await self._on.tokens.call("PATCH", "/metadata", wire.MetaDataBody, body)

    async def replace_meta_data(self, meta_data: Mapping[str, str | bool | int | float]) -> Response[wire.MetaDataBody]:
        """Replace the signed-in user's metadata.

        Raises:
            MetadataInvalid: it breaks its limits.
        """
        body = wire.MetaDataRequest(meta_data=dict(meta_data))
        return await self._on.tokens.call("PUT", "/metadata", wire.MetaDataBody, body)

    async def get_current_user_jid(self) -> Response[UserJidData]:
        """The bare JID of the user who registered or connected.

        Raises:
            NotConnected: nobody did, or the session is over.
        """
        return Response(200, "Success", UserJidData(user_jid=self._on.user_jid))
