"""Users as the app's own backend sees them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from heliograph.wire.accounts import MetaData
from heliograph.wire.envelope import Body, Request


class AccountBody(Body, frozen=True, kw_only=True):
    """A user as the app's own backend sees it. Times are ISO 8601 in UTC.

    Attributes:
        user_id: the user's identifier.
        user_jid: the user's bare JID.
        is_admin_blocked: whether the app's administrator has blocked the user.
        is_sandbox: whether this is a sandbox user.
        is_deleted: whether the user was deleted, and can still be restored.
        purge_at: when a deleted user is gone for good.
        max_sessions: the user's own cap on sessions; `None` where the app's holds.
        meta_data: the user's metadata.
        created_at: when the user was first registered.
        expires_at: when a sandbox user expires.
    """

    user_id: str
    user_jid: str
    is_admin_blocked: bool
    is_sandbox: bool
    is_deleted: bool
    purge_at: str | None
    max_sessions: int | None
    meta_data: MetaData
    created_at: str
    expires_at: str | None


class AccountRequest(Request, frozen=True, kw_only=True):
    """A change of a user; what is absent stays.

    Attributes:
        max_sessions: the user's own cap on sessions, 1 to 100; `null` for the app's.
        meta_data: the user's metadata, whole.
    """

    max_sessions: int | UnsetType | None = UNSET
    meta_data: MetaData | UnsetType = UNSET


class FeedbackBody(Body, frozen=True, kw_only=True):
    """What a user said on leaving. `user_id` is `None` once the user is gone for good."""

    user_id: str | None
    reason: str
    feedback: str
    created_at: str


class FeedbackData(Body, frozen=True, kw_only=True):
    """A page of feedback, newest first; `next` goes into `before` for the next page, where there is one."""

    feedback: tuple[FeedbackBody, ...]
    next: int | None
