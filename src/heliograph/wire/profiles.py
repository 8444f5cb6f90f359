"""Profiles: one's own, and those of others as one may see them."""

from __future__ import annotations

from typing import Literal

from heliograph.wire.envelope import Body, Request

FieldVisibility = Literal["everyone", "contacts", "nobody"]
"""Who may see a profile field."""


class ProfileBody(Body, frozen=True, kw_only=True):
    """A profile as its viewer may see it, and what `userProfileListener` gets. An unset or hidden field is `""`.

    Attributes:
        user_id: the user's identifier.
        user_jid: the user's bare JID.
        from_user: the identifier of the user whose profile this is; always equal to `user_id`.
        nick_name: the display name.
        image: the URL of the picture.
        thumb_image: the URL of its thumbnail.
        status: the status text.
        user_status: the same text, under the second name that existing clients read.
        mobile_number: digits as given, with or without `+`.
        is_admin_blocked: whether the app's administrator has blocked the user.
        version: counts the changes; 0 where no profile was ever saved.
    """

    user_id: str
    user_jid: str
    from_user: str
    nick_name: str = ""
    image: str = ""
    thumb_image: str = ""
    status: str = ""
    user_status: str = ""
    mobile_number: str = ""
    email: str = ""
    is_admin_blocked: bool = False
    version: int = 0


class VisibilityBody(Body, frozen=True, kw_only=True):
    """Who may see each field of a profile."""

    nick_name: FieldVisibility
    image: FieldVisibility
    status: FieldVisibility
    mobile_number: FieldVisibility
    email: FieldVisibility


class OwnProfileBody(ProfileBody, frozen=True, kw_only=True):
    """The user's own profile, complete.

    Attributes:
        file_token: names the picture where it was uploaded here; `""` where it is a foreign URL or unset.
        file_token_thumb: the same of the thumbnail.
        visibility: who may see each field.
    """

    file_token: str = ""
    file_token_thumb: str = ""
    visibility: VisibilityBody


class VisibilityRequest(Request, frozen=True, kw_only=True):
    """Who may see which field from now on; an absent field keeps its visibility."""

    nick_name: FieldVisibility | None = None
    image: FieldVisibility | None = None
    status: FieldVisibility | None = None
    mobile_number: FieldVisibility | None = None
    email: FieldVisibility | None = None


class ProfileRequest(Request, frozen=True, kw_only=True):
    """A change of the user's own profile: `null` or absent leaves a field as it is, `""` clears it.

    Attributes:
        image: a URL, or the `fileToken` of an uploaded picture.
        version: the version that this change builds on; any other current version is a `profile_conflict`.
    """

    nick_name: str | None = None
    image: str | None = None
    status: str | None = None
    mobile_number: str | None = None
    email: str | None = None
    visibility: VisibilityRequest | None = None
    version: int | None = None
