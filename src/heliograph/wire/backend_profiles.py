"""Profiles as the app's own backend changes them and looks into them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from heliograph.core import limits
from heliograph.wire.envelope import Body, Request
from heliograph.wire.profiles import ProfileRequest


class ProfileUpdateItem(ProfileRequest, frozen=True, kw_only=True):
    """A change of one user's profile; see `ProfileRequest`."""

    user_id: str


class ProfileUpdatesRequest(Request, frozen=True, kw_only=True):
    """Changes of many profiles. A user who is named twice is changed twice, in this order."""

    items: Annotated[tuple[ProfileUpdateItem, ...], Meta(max_length=limits.PROFILE_UPDATES_MAX)]


class UpdatedBody(Body, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one change.

    Attributes:
        user_id: as it was sent.
        result: `updated`, `unchanged` (the profile was like that already) or `failed`.
        version: of the profile, unless it failed.
        code, message, field: why it failed: the code of an error, a sentence, and the field that it is about.
    """

    user_id: str
    result: Literal["updated", "unchanged", "failed"]
    version: int | None = None
    code: str | None = None
    message: str | None = None
    field: str | None = None


class UpdatesData(Body, frozen=True, kw_only=True):
    """One result for each change, in their order."""

    results: tuple[UpdatedBody, ...]


class FieldEditBody(Body, frozen=True, kw_only=True, omit_defaults=True):
    """One changed field. Only the values of name, status and picture are kept."""

    field: str
    before: str | None = None
    after: str | None = None


class ProfileEditBody(Body, frozen=True, kw_only=True):
    """One change of a profile.

    Attributes:
        version: the one that it made.
        at: ISO 8601 in UTC.
        by: whose word it was.
        via: the way by which it came.
        session_id: the device session; `""` for a backend.
    """

    version: int
    at: str
    by: Literal["user", "backend"]
    via: Literal["api", "xmpp"]
    session_id: str
    fields: tuple[FieldEditBody, ...]


class ProfileHistoryData(Body, frozen=True, kw_only=True):
    """The newest changes of a profile, at most 20, the newest first."""

    changes: tuple[ProfileEditBody, ...]
