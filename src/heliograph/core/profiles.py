"""Profiles: one versioned record a user, checked here, seen through many protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Visibility(StrEnum):
    """Who may see a field."""

    EVERYONE = "everyone"
    CONTACTS = "contacts"
    NOBODY = "nobody"


class Viewer(StrEnum):
    """Who is looking: the user, one of the user's contacts, or anyone else of the same app and environment."""

    SELF = "self"
    CONTACT = "contact"
    STRANGER = "stranger"


DEFAULT_VISIBILITY: Mapping[str, Visibility] = {
    "name": Visibility.EVERYONE,
    "image": Visibility.EVERYONE,
    "status": Visibility.EVERYONE,
    "mobile": Visibility.CONTACTS,
    "email": Visibility.CONTACTS,
}
"""The visibility of each field where the user has not chosen; `image` also covers the thumbnail."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A stored profile. An unset field is `""`; `version` counts the changes, 0 means that none was ever saved.

    Attributes:
        image, thumb_image: URLs.
        mobile: E.164 digits as given, with or without `+`.
        vcard_extra: serialized vCard4 properties that have no field here, kept so that a plain XMPP client loses
            nothing.
        visibility: what the user has chosen; a missing field stands at `DEFAULT_VISIBILITY`.
        updated_at: seconds since the epoch.
    """

    jid: str
    version: int = 0
    name: str = ""
    image: str = ""
    thumb_image: str = ""
    status: str = ""
    mobile: str = ""
    email: str = ""
    vcard_extra: str = ""
    visibility: Mapping[str, Visibility] = field(default_factory=dict)
    is_admin_blocked: bool = False
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What a caller wants changed: `None` leaves a field, `""` clears it."""

    name: str | None = None
    image: str | None = None
    thumb_image: str | None = None
    status: str | None = None
    mobile: str | None = None
    email: str | None = None
    vcard_extra: str | None = None
    visibility: Mapping[str, Visibility] | None = None
