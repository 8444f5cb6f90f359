"""What an app is told without asking: one class an event, each with the listener that gets it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypedDict

import msgspec

from heliograph.sdk.states import ConnectionStatus
from heliograph.wire import Body, FriendState, ProfileBody, Secretive


class Event:
    """The base of all events: `match` on the class, read the attributes."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The form that the browser SDK's listeners get: all names in camelCase."""
        form: dict[str, Any] = msgspec.to_builtins(self)
        return form


class ConnectionUpdate(Event, Body, frozen=True, kw_only=True, omit_defaults=True):
    """The connection changed its state.

    Attributes:
        status: the new state.
        reason: why, where there is something to say: an error's code, a stream error's condition, or, of LOGOUT, why
            the session ended (`logout`, `evicted`, `replaced`, `ended_by_user`, …).
        attempt: of RECONNECTING, which attempt since the loss begins, from 1.
    """

    status: ConnectionStatus
    reason: str | None = None
    attempt: int | None = None


class ProfileUpdate(Event, ProfileBody, frozen=True, kw_only=True):
    """A profile is new to this client: the user's own or a contact's. Each version comes once, in order."""


class FriendsListUpdate(Event, Body, frozen=True, kw_only=True):
    """An entry of the contact list changed.

    Attributes:
        user_id: the contact's identifier.
        user_jid: the contact's bare JID.
        state: what the contact is now; `removed` is one no longer.
    """

    user_id: str
    user_jid: str
    state: FriendState | Literal["removed"]


class PresenceUpdate(Event, Body, frozen=True, kw_only=True):
    """A device of a contact, or another device of the user, came or went or says something else of itself.

    Attributes:
        user_id: the identifier.
        user_jid: the bare JID.
        resource: which of the devices.
        is_online: whether it is connected.
        show: `away`, `chat`, `dnd`, `xa`, or `""` for simply available (RFC 6121, section 4.7.2.1).
        status: a text for people (RFC 6121, section 4.7.2.2).
    """

    user_id: str
    user_jid: str
    resource: str
    is_online: bool
    show: str = ""
    status: str = ""


class UserDeleted(Event, Body, frozen=True, kw_only=True):
    """The signed-in account was deleted."""

    user_id: str
    user_jid: str


class AdminBlockUpdate(Event, Body, frozen=True, kw_only=True):
    """The administrator blocked or unblocked the signed-in user or a contact."""

    user_id: str
    user_jid: str
    is_admin_blocked: bool


class BlockUpdate(Event, Body, frozen=True, kw_only=True):
    """The signed-in user blocked or unblocked a user, on this device or another."""

    user_id: str
    user_jid: str
    is_blocked: bool


class MessageReceived(Event, Body, frozen=True, kw_only=True):
    """A one-to-one text message came.

    Attributes:
        message_id: the id that its sender gave it, or `""`.
        user_id: the sender's identifier.
        user_jid: the sender's bare JID.
        text: what it says.
    """

    message_id: str
    user_id: str
    user_jid: str
    text: str


class SessionNotice(Event, Body, frozen=True, kw_only=True):
    """What the user is told of a session on another device.

    Attributes:
        session_id: the id of that session.
        device, browser, os: what its device says of itself.
        ip: the network address from which it was let in.
        created_at: when, in ISO 8601.
        via: how; `register` or `qr`.
    """

    session_id: str
    device: str
    browser: str
    os: str
    ip: str
    created_at: str
    via: str


class NewSession(SessionNotice, frozen=True, kw_only=True):
    """Another device of the user was let in by QR code. If it was not the user who did that,
    `logout_session(session_id)` ends it.
    """


class SessionEnded(SessionNotice, frozen=True, kw_only=True):
    """A session of the user on another device was ended by the server, for the user's safety.

    Attributes:
        reason: why it ended; `token_reused`: one of its refresh tokens was used by two.
    """

    reason: str


class TokenUpdate(Event, Secretive, Body, frozen=True, kw_only=True):
    """The SDK has new tokens; an app that keeps them over a restart stores these.

    Attributes:
        token: the access token.
        refresh_token: gets the next tokens, once.
        expires_in: the life of the access token in seconds.
    """

    token: str
    refresh_token: str
    expires_in: int


Listener = Callable[[Any], Awaitable[None] | None]
"""A function or a coroutine function that takes an event."""


class Listeners(TypedDict, total=False):
    """The callbacks that `SDK.initialize` takes; each gets one event."""

    connection_listener: Listener
    user_profile_listener: Listener
    friends_list_listener: Listener
    presence_listener: Listener
    block_user_listener: Listener
    user_deleted_listener: Listener
    admin_block_listener: Listener
    message_listener: Listener
    session_listener: Listener
    session_ended_listener: Listener
    token_listener: Listener


LISTENER_EVENTS: Mapping[str, type[Event]] = {
    "connection_listener": ConnectionUpdate,
    "user_profile_listener": ProfileUpdate,
    "friends_list_listener": FriendsListUpdate,
    "presence_listener": PresenceUpdate,
    "block_user_listener": BlockUpdate,
    "user_deleted_listener": UserDeleted,
    "admin_block_listener": AdminBlockUpdate,
    "message_listener": MessageReceived,
    "session_listener": NewSession,
    "session_ended_listener": SessionEnded,
    "token_listener": TokenUpdate,
}
"""Which event each listener gets."""
