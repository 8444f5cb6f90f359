"""The SDK: one object for one user on one device."""

from __future__ import annotations

import platform
import ssl
from os import PathLike
from types import TracebackType
from typing import Self, Unpack

import httpx

from heliograph import wire
from heliograph.errors import LicenseModeMismatch
from heliograph.sdk.api import Api
from heliograph.sdk.blocking import BlockingCalls
from heliograph.sdk.contacts import ContactCalls
from heliograph.sdk.dispatch import QUEUE_MAX_EVENTS, EventIterator, check_listeners
from heliograph.sdk.events import Listeners
from heliograph.sdk.invitations import InvitationCalls
from heliograph.sdk.messages import MessageCalls
from heliograph.sdk.phone_book import PhoneBookCalls
from heliograph.sdk.profiles import ProfileCalls
from heliograph.sdk.qr import QrCalls
from heliograph.sdk.reconnect import ReconnectPolicy
from heliograph.sdk.resource import Terms
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Runtime
from heliograph.sdk.sessions import SessionCalls
from heliograph.sdk.states import ConnectionStatus
from heliograph.sdk.tls import client_context
from heliograph.sdk.token_store import TokenStore
from heliograph.sdk.transport import targets
from heliograph.sdk.users import UserCalls


class SDK(
    UserCalls,
    QrCalls,
    ProfileCalls,
    ContactCalls,
    InvitationCalls,
    PhoneBookCalls,
    BlockingCalls,
    MessageCalls,
    SessionCalls,
):
    """Register, connect, sign in by QR code, profiles, contacts, sessions: `initialize` first, `close` last, or
    `async with SDK() as sdk`.

    Every call resolves to a `Response` or raises a `HeliographError` with `status_code`, `code`, `message` and
    `details`. Any call may raise `Unreachable`, `TimedOut`, `RateLimited` (with `retry_after_s`) and, before
    `initialize`, `NotConnected`; calls for the signed-in user also `TokenMissing`, `TokenExpired` and `TokenRevoked`.
    """

    async def initialize(
        self,
        api_base_url: str,
        license_key: str,
        is_trial_license_key: bool | None = None,
        callback_listeners: Listeners | None = None,
        *,
        ca_file: str | PathLike[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        device: wire.DeviceBody | None = None,
        reconnect_policy: ReconnectPolicy = ReconnectPolicy(),  # noqa: B008 - it is frozen
        http_transport: httpx.AsyncBaseTransport | None = None,
        token_store: TokenStore | None = None,
        **listeners: Unpack[Listeners],
    ) -> Response[wire.Config]:
        """Check the licence key against the server, and get ready. Called again, it begins anew.

        Args:
            api_base_url: such as `https://chat.example`.
            license_key: the app's key; it says which app and whether live users or those of the sandbox.
            is_trial_license_key: what the app believes the key to be; `None` for no belief.
            callback_listeners: callbacks by name; they may stand as keywords as well. Plain functions and coroutine
                functions, called one at a time in the order of the events.
            ca_file: a PEM file with certificates to trust besides the machine's, such as that of a node in development.
            ssl_context: in place of `ca_file` and of the machine's certificates.
            device: what the list of sessions shows of this device.
            reconnect_policy: how patient the connection is.
            http_transport: how HTTP requests are sent, in place of over the network.
            token_store: keeps the tokens of the signed-in user over a restart, such as `TokenFile("tokens.json")`; what
                it holds is taken up at once.

        Raises:
            LicenseInvalid: the key is not valid.
            LicenseModeMismatch: the key is of the other kind than `is_trial_license_key` says.
            RequestInvalid: the URL, the file or the name of a listener is wrong.
        """
        context = ssl_context or client_context(ca_file)
        by_name: Listeners = {**(callback_listeners or {}), **listeners}
        check_listeners(by_name)
        api = Api(api_base_url, license_key, context, http_transport)
        try:
            response = await api.call("GET", "/config", wire.Config)
            if is_trial_license_key not in (None, response.data.is_sandbox):
                raise LicenseModeMismatch
        except BaseException:
            await api.close()
            raise
        await self.close()
        terms = Terms(targets(response.data), context, reconnect_policy)
        self._runtime = Runtime(response.data, device or this_device(), api, terms, by_name, token_store)
        return response

    initialize_sdk = initialize
    """The name that the call has in the browser SDK, in Python's spelling."""

    def events(self, max_events: int = QUEUE_MAX_EVENTS) -> EventIterator:
        """All events from now on: `async for event in sdk.events()`, to the end when the SDK is closed.

        Args:
            max_events: how many may wait to be fetched. One more, and the oldest is dropped and counted in the
                iterator's `dropped`.
        """
        return self._on.dispatcher.iterate(max_events)

    @property
    def connection_status(self) -> ConnectionStatus:
        """The state that `connection_listener` was told last."""
        return self._on.connection.status

    async def close(self) -> None:
        """Disconnect and let go of everything. The session goes on: `connect` works again with the same password."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            await runtime.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def this_device() -> wire.DeviceBody:
    """What a list of sessions shows of this machine."""
    return wire.DeviceBody(device=platform.node(), os=f"{platform.system()} {platform.release()}".strip())
