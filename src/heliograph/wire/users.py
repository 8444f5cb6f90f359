"""Users as the app's own backend sees them, and as users find each other."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from heliograph.core import limits
from heliograph.wire.accounts import MetaData
from heliograph.wire.envelope import Body, Request
from heliograph.wire.profiles import ProfileBody


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


class AccountsData(Body, frozen=True, kw_only=True):
    """A page of users in the order of their identifiers; `next` goes into `after` for the next page, if any."""

    users: tuple[AccountBody, ...]
    next: str | None


class UserSearchRequest(Request, frozen=True, kw_only=True):
    """A search among the users of the same app.

    Attributes:
        search: the beginning of an identifier or of a word of a name, or a whole email address or mobile number; `""`
            for all users.
        page: from 1 on.
        limit: how many users a page has, 1 to 100.
        metadata: entries that the users have to have.
    """

    search: str = ""
    page: int = 1
    limit: int = limits.SEARCH_USERS_DEFAULT
    metadata: MetaData | None = None


class ListedUserBody(ProfileBody, frozen=True, kw_only=True):
    """A user who was found: the profile as the viewer may see it, and the metadata."""

    meta_data: MetaData


class UsersData(Body, frozen=True, kw_only=True):
    """A page of a search.

    Attributes:
        users: those who were found.
        page: which page this is.
        limit: how many users a page has.
        total_records: how many were found in all; a search looks at no more than 2000 matches.
        total_pages: how many pages that makes.
    """

    users: tuple[ListedUserBody, ...]
    page: int
    limit: int
    total_records: int
    total_pages: int


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
