"""Heliograph's Python SDK: register, connect over XMPP, keep profiles fresh, end device sessions.

    async with SDK() as sdk:
        await sdk.initialize("https://chat.example", "hg_pk_…")
        ada = (await sdk.register("ada")).data
        await sdk.connect(ada.username, ada.password)
        await sdk.set_user_profile("Ada")
        async for event in sdk.events():
            ...

A name is loaded when it is first asked for: a node, which is no client, does not pay for the client's libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from heliograph import errors
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.sdk.backend import Backend
    from heliograph.sdk.dispatch import EventIterator
    from heliograph.sdk.events import (
        AdminBlockUpdate,
        BlockUpdate,
        ConnectionUpdate,
        Event,
        FriendsListUpdate,
        Listeners,
        MessageReceived,
        NewSession,
        PresenceUpdate,
        ProfileUpdate,
        SessionEnded,
        TokenUpdate,
        UserDeleted,
    )
    from heliograph.sdk.qr import QrConsent
    from heliograph.sdk.qr_code import QrCode
    from heliograph.sdk.reconnect import ReconnectPolicy
    from heliograph.sdk.response import Response
    from heliograph.sdk.sdk import SDK
    from heliograph.sdk.states import ConnectionStatus
    from heliograph.sdk.token_store import StoredTokens, TokenFile, TokenStore
    from heliograph.wire import DeviceBody, VisibilityRequest

__all__ = [  # noqa: RUF022 - in plain alphabetical order
    "AdminBlockUpdate",
    "Backend",
    "BlockUpdate",
    "ConnectionStatus",
    "ConnectionUpdate",
    "DeviceBody",
    "Event",
    "EventIterator",
    "FriendsListUpdate",
    "HeliographError",
    "Listeners",
    "MessageReceived",
    "NewSession",
    "PresenceUpdate",
    "ProfileUpdate",
    "QrCode",
    "QrConsent",
    "ReconnectPolicy",
    "Response",
    "SDK",
    "SessionEnded",
    "StoredTokens",
    "TokenFile",
    "TokenStore",
    "TokenUpdate",
    "UserDeleted",
    "VisibilityRequest",
    "errors",
]

_HOMES = {
    "Backend": "sdk.backend",
    "ConnectionStatus": "sdk.states",
    "DeviceBody": "wire",
    "EventIterator": "sdk.dispatch",
    "QrCode": "sdk.qr_code",
    "QrConsent": "sdk.qr",
    "ReconnectPolicy": "sdk.reconnect",
    "Response": "sdk.response",
    "SDK": "sdk.sdk",
    "StoredTokens": "sdk.token_store",
    "TokenFile": "sdk.token_store",
    "TokenStore": "sdk.token_store",
    "VisibilityRequest": "wire",
}
"""Where each name comes from; those that are missing here come from `sdk.events`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'sdk.events')}"), name)
