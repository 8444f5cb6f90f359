"""Contacts, blocked users, and when a contact was last there."""

from __future__ import annotations

from typing import Literal

from heliograph.wire.envelope import Body
from heliograph.wire.profiles import ProfileBody

FriendState = Literal["friend", "requested", "received"]
"""A mutual contact; one whom the user has asked; one who has asked the user."""


class ContactBody(Body, frozen=True, kw_only=True):
    """A contact of the user.

    Attributes:
        user_id: the contact's identifier.
        user_jid: the contact's bare JID.
        state: `friend` (mutual), `requested` (the user has asked) or `received` (the contact has asked).
        is_online: whether the contact is connected; always `false` of one who is no friend.
        profile: the contact's profile as the user may see it.
    """

    user_id: str
    user_jid: str
    state: FriendState
    is_online: bool
    profile: ProfileBody


class ContactsData(Body, frozen=True, kw_only=True):
    """The user's contacts."""

    contacts: tuple[ContactBody, ...]


class BlockedUserBody(Body, frozen=True, kw_only=True):
    """A user whom the user blocks: identifier and bare JID, and nothing of the profile."""

    user_id: str
    user_jid: str


class BlockedData(Body, frozen=True, kw_only=True):
    """The users whom the user blocks."""

    blocked: tuple[BlockedUserBody, ...]


class LastSeenBody(Body, frozen=True, kw_only=True):
    """When a user was last there: ISO 8601 in UTC, and seconds ago; now and 0 of one who is there."""

    user_id: str
    user_jid: str
    is_online: bool
    last_seen_at: str
    seconds: int
