"""The app's own backend: what a secret key may do."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from os import PathLike
from types import NoneType, TracebackType
from typing import Self, TypeVar
from urllib.parse import urlencode

import httpx
from msgspec import UNSET, UnsetType

from heliograph import wire
from heliograph.sdk.api import Api, segment
from heliograph.sdk.response import Response
from heliograph.sdk.tls import client_context

BULK_USERS_MAX = 1000
"""How many users one call registers; more go in several calls."""

Kind = TypeVar("Kind")
MetaData = Mapping[str, str | bool | int | float]


class Backend:
    """Registers, looks at and ends users, with the app's secret key. Never ship that key to a client.

        async with Backend("https://chat.example", "hg_sk_…") as backend:
            session = (await backend.register("ada")).data
            await backend.logout_everywhere("ada")

    Every call resolves to a `Response` or raises a `HeliographError`; all of them may raise `Unreachable`, `TimedOut`,
    `RateLimited`, `LicenseInvalid`, `SecretKeyRequired` and, about one user, `AccountNotFound`.

    Args:
        api_base_url: such as `https://chat.example`.
        secret_key: the app's secret key, live or trial.
        ca_file: a PEM file with certificates to trust besides the machine's.
        ssl_context: in place of `ca_file` and of the machine's certificates.
        http_transport: how HTTP requests are sent, in place of over the network.
    """

    def __init__(
        self,
        api_base_url: str,
        secret_key: str,
        *,
        ca_file: str | PathLike[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = Api(api_base_url, secret_key, ssl_context or client_context(ca_file), http_transport)

    # ------------------------------------------------------------------------------------------------------ registering

    async def register(
        self,
        user_identifier: str,
        force_register: bool = True,
        register_meta_data: MetaData | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Response[wire.RegisterData]:
        """Register a user or a further session of one, and hand its credentials to the device; see `SDK.register`."""
        body = wire.RegisterRequest(
            user_identifier=user_identifier,
            force_register=force_register,
            register_meta_data=None if register_meta_data is None else dict(register_meta_data),
        )
        return await self._api.call("POST", "/register", wire.RegisterData, body, idempotency_key=idempotency_key)

    async def register_many(
        self,
        users: Sequence[wire.RegisterRequest | str],
        *,
        idempotency_key: str | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[wire.BulkResultBody]:
        """Register any number of users, a thousand a call; gives what came of each, in their order.

        Args:
            users: identifiers, or whole registrations.
            idempotency_key: with the same key the same users can be registered again after a call that raised; nobody
                gets a second session.
            on_progress: is told how many are done, and how many there are.
        """
        asked = [wire.RegisterRequest(user_identifier=each) if isinstance(each, str) else each for each in users]
        results: list[wire.BulkResultBody] = []
        for start in range(0, len(asked), BULK_USERS_MAX):
            body = wire.BulkRequest(users=tuple(asked[start : start + BULK_USERS_MAX]))
            answer = await self._api.call("POST", "/users/bulk", wire.BulkData, body, idempotency_key=idempotency_key)
            results += answer.data.results
            if on_progress is not None:
                on_progress(len(results), len(asked))
        return results

    # ------------------------------------------------------------------------------------------------------------ users

    async def get_user(self, user_identifier: str) -> Response[wire.AccountBody]:
        """A user, also a deleted one that can be restored."""
        return await self._of(user_identifier, "GET", "", wire.AccountBody)

    async def list_users(self, search: str = "") -> AsyncIterator[wire.AccountBody]:
        """All users whose identifiers begin so, in their order: `async for user in backend.list_users()`."""
        after: str | None = ""
        while after is not None:
            query = urlencode({"search": search, "after": after})
            page = (await self._api.call("GET", f"/users?{query}", wire.AccountsData)).data
            for user in page.users:
                yield user
            after = page.next

    async def set_max_sessions(self, user_identifier: str, max_sessions: int | None) -> Response[wire.AccountBody]:
        """Give a user a cap on sessions of its own, 1 to 100; `None` for the app's."""
        return await self._change(user_identifier, max_sessions=max_sessions)

    async def set_meta_data(self, user_identifier: str, meta_data: MetaData) -> Response[wire.AccountBody]:
        """Replace a user's metadata."""
        return await self._change(user_identifier, meta_data=dict(meta_data))

    async def block_user(self, user_identifier: str) -> Response[wire.AccountBody]:
        """End all sessions of a user, and let none begin."""
        return await self._of(user_identifier, "POST", "/block", wire.AccountBody)

    async def unblock_user(self, user_identifier: str) -> Response[wire.AccountBody]:
        """Let a user register and sign in again."""
        return await self._of(user_identifier, "POST", "/unblock", wire.AccountBody)

    async def delete_user(self, user_identifier: str, *, immediately: bool = False) -> Response[wire.DeletionData]:
        """Delete a user; until `data.purge_at` it can be restored.

        Args:
            user_identifier: whom.
            immediately: without a grace period.
        """
        query = "?immediately=true" if immediately else ""
        return await self._of(user_identifier, "DELETE", query, wire.DeletionData)

    async def restore_user(self, user_identifier: str) -> Response[wire.AccountBody]:
        """Undo a deletion within its grace period."""
        return await self._of(user_identifier, "POST", "/restore", wire.AccountBody)

    async def get_feedback(self) -> AsyncIterator[wire.FeedbackBody]:
        """What users said on leaving, newest first: `async for said in backend.get_feedback()`."""
        query = ""
        while True:
            page = (await self._api.call("GET", f"/feedback{query}", wire.FeedbackData)).data
            for said in page.feedback:
                yield said
            if page.next is None:
                return
            query = f"?before={page.next}"

    # --------------------------------------------------------------------------------------------------------- sessions

    async def get_sessions(self, user_identifier: str) -> Response[wire.SessionsData]:
        """A user's live sessions, least recently active first."""
        return await self._of(user_identifier, "GET", "/sessions", wire.SessionsData)

    async def logout_session(self, user_identifier: str, session_id: str) -> Response[None]:
        """End one session of a user.

        Raises:
            SessionNotFound: no live session of the user has that id.
        """
        return await self._of(user_identifier, "DELETE", f"/sessions/{segment(session_id)}", NoneType)

    async def logout_everywhere(self, user_identifier: str) -> Response[wire.EndedData]:
        """End all sessions of a user. It can register again at once; `block_user` keeps it out."""
        return await self._of(user_identifier, "POST", "/end-sessions", wire.EndedData)

    async def _of(self, user_identifier: str, method: str, rest: str, kind: type[Kind]) -> Response[Kind]:
        return await self._api.call(method, f"/users/{segment(user_identifier)}{rest}", kind)

    async def _change(
        self,
        user_identifier: str,
        max_sessions: int | UnsetType | None = UNSET,
        meta_data: wire.MetaData | UnsetType = UNSET,
    ) -> Response[wire.AccountBody]:
        body = wire.AccountRequest(max_sessions=max_sessions, meta_data=meta_data)
        return await self._api.call("PATCH", f"/users/{segment(user_identifier)}", wire.AccountBody, body)

    # -------------------------------------------------------------------------------------------------------- lifetime

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
