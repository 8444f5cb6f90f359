"""Profiles: one versioned record a user, checked here, seen through many protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from heliograph.core import blocking, media, profile_policy
from heliograph.core.profile_fields import RULES, invalid
from heliograph.core.profile_history import USER, Editor
from heliograph.core.user_jids import are_of_one_app
from heliograph.errors import AccountNotFound, ProfileConflict
from heliograph.xmpp import presence, vcard_extra
from heliograph.xmpp.vcard import Card

if TYPE_CHECKING:
    from heliograph.core.apps import Policy
    from heliograph.core.contacts import RosterItem
    from heliograph.core.ports import Ports


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
        mark: numbers the change among all that the clients of a JID domain have to hear of, in the order of the
            commits, so that a client that was away can be told what is newer than the highest mark that it has seen.
            The store sets it; it says nothing about the profile.
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
    mark: int = field(default=0, compare=False)


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


# --------------------------------------------------------------------------------------------------------------- rules


def check(change: ProfileChange, known: Profile | None = None) -> ProfileChange:
    """A change in its normal form: white space around values and separators in the telephone number are gone, line ends
    are line feeds.

    Args:
        change: what is wanted.
        known: the profile as it was a moment ago, if that is known. A value that it has is in normal form, and whoever
            publishes a whole vCard sends mostly such. Measured: a number and an address take 300 µs to check.

    Raises:
        ProfileInvalid: a field breaks its rule; `details.field` names it as `Profile` does.
    """
    wanted: dict[str, Any] = {}
    for name, rule in RULES.items():
        value = getattr(change, name)
        if value and (known is None or value != getattr(known, name)):
            wanted[name] = rule(name, value)
    if change.visibility is not None:
        wanted["visibility"] = _check_visibility(change.visibility)
    return replace(change, **wanted) if wanted else change


def _check_visibility(visibility: Mapping[str, Visibility]) -> dict[str, Visibility]:
    checked = {}
    for name, wanted in visibility.items():
        if name not in DEFAULT_VISIBILITY:
            raise invalid("visibility", "Visibility is chosen for name, image, status, mobile and email")
        try:
            checked[name] = Visibility(wanted)
        except ValueError:
            raise invalid("visibility", "A field is visible to everyone, contacts or nobody") from None
    return checked


def apply(profile: Profile, change: ProfileChange, now: float, version: int | None = None) -> Profile:
    """The profile after a checked change; the same object where nothing changes.

    A new image drops the thumbnail of the old one, and a changed field drops what clients' vCards kept of its old
    value, unless the change brings these itself. Visibility changes only for the fields that are named.

    Args:
        profile: the stored profile.
        change: what `check` returned.
        now: seconds since the epoch.
        version: the version that the caller has seen; `None` for whichever.

    Raises:
        ProfileConflict: `version` is not the current one; `details.version` is.
        ProfileInvalid: the change clears a name that was set; a user who had a name keeps one.
    """
    if version is not None and version != profile.version:
        raise ProfileConflict(details={"version": profile.version})
    if change.name == "" and profile.name:
        raise invalid("name", "A name cannot be cleared")
    wanted: dict[str, Any] = {name: value for name in RULES if (value := getattr(change, name)) is not None}
    if wanted.get("image", profile.image) != profile.image:
        wanted.setdefault("thumb_image", "")
    if change.vcard_extra is None:
        wanted["vcard_extra"] = _superseded(profile, wanted)
    wanted["visibility"] = {**profile.visibility, **(change.visibility or {})}
    if all(getattr(profile, name) == value for name, value in wanted.items()):
        return profile
    return replace(profile, **wanted, version=profile.version + 1, updated_at=now)


def _superseded(profile: Profile, wanted: Mapping[str, Any]) -> str:
    extra = profile.vcard_extra
    for name in DEFAULT_VISIBILITY:
        if name in wanted:
            extra = vcard_extra.supersede(extra, name, getattr(profile, name), wanted[name])
    return extra


def viewer_of(item: RosterItem | None) -> Viewer:
    """What somebody else is to a user whose roster has this item for them: a contact if they are subscribed to the
    user's presence.
    """
    return Viewer.CONTACT if item is not None and presence.is_watcher(item.subscription) else Viewer.STRANGER


def seen_as(item: RosterItem | None) -> Viewer:
    """What a user is to somebody else for whom the user's own roster has this item: both rosters say the same."""
    return Viewer.CONTACT if item is not None and presence.is_watched(item.subscription) else Viewer.STRANGER


_SEEN_BY: Mapping[Viewer, frozenset[Visibility]] = {
    Viewer.CONTACT: frozenset((Visibility.EVERYONE, Visibility.CONTACTS)),
    Viewer.STRANGER: frozenset((Visibility.EVERYONE,)),
}


def redact(profile: Profile, viewer: Viewer) -> Profile:
    """What a viewer may see of a stored profile.

    Hidden fields are unset, and so is the user's choice of visibility: a redacted profile is for showing and is not to
    be redacted again. Further vCard properties are for contacts, without those of a hidden field.
    """
    if viewer is Viewer.SELF:
        return profile
    seen = _SEEN_BY[viewer]
    hidden = [name for name, default in DEFAULT_VISIBILITY.items() if profile.visibility.get(name, default) not in seen]
    extra = vcard_extra.hide(profile.vcard_extra, hidden) if viewer is Viewer.CONTACT else ""
    blank: dict[str, Any] = dict.fromkeys((*hidden, "thumb_image") if "image" in hidden else hidden, "")
    return replace(profile, **blank, vcard_extra=extra, visibility={})


def card(profile: Profile) -> Card:
    """A profile as vCards show it; redact it first."""
    return Card(
        name=profile.name,
        image=profile.image,
        thumb_image=profile.thumb_image,
        status=profile.status,
        mobile=profile.mobile,
        email=profile.email,
        extra=profile.vcard_extra,
        version=profile.version,
        mark=profile.mark,
        is_admin_blocked=profile.is_admin_blocked,
    )


def change_from_card(published: Card) -> ProfileChange:
    """The change that a client wants who publishes a whole vCard: what is missing is cleared, but for the name."""
    return ProfileChange(
        name=published.name or None,
        image=published.image,
        status=published.status,
        mobile=published.mobile,
        email=published.email,
        vcard_extra=published.extra,
    )


# ----------------------------------------------------------------------------------------------------------- use cases


async def set_profile(
    ports: Ports,
    jid: str,
    change: ProfileChange,
    version: int | None = None,
    editor: Editor = USER,
    known: Profile | None = None,
) -> Profile:
    """Change a user's profile and bring it to everyone who may see it, unless nothing has changed.

    Args:
        ports: the node's ports.
        jid: the user's bare JID.
        change: what is wanted; `image` may also be the token of a picture that is kept here.
        version: the version that the caller has seen, or `None`.
        editor: who changes it.
        known: the whole profile, where the caller has just read it.

    Returns:
        The stored profile.

    Raises:
        AccountNotFound: there is no such user.
        ProfileConflict, ProfileInvalid: see `apply`, `check` and `profile_policy`; nothing is changed.
        HeliographError: the picture is refused; see `media.shown`.
    """
    policy = await profile_policy.of(ports, jid)
    known = known or await ports.profiles.lookup(jid)
    decide = decision(await checked(ports, jid, change, known), ports.clock.now(), version, policy, editor)
    found, publish = -1, None

    def noting(profile: Profile) -> Profile:
        nonlocal found, publish
        found, publish = profile.version, None
        return decide(profile)

    def prepare(profile: Profile) -> None:
        nonlocal publish
        if profile.version != found:
            publish = ports.engine.prepare_profile(profile)

    stored = await ports.profiles.update(jid, noting, editor, prepare)
    if stored.version != found:
        (publish or ports.engine.prepare_profile(stored))()
    return stored


def decision(
    change: ProfileChange, now: float, version: int | None, policy: Policy, editor: Editor
) -> Callable[[Profile], Profile]:
    """The rule by which a store changes a profile. `change` is what `checked` returned; all else is as for
    `set_profile`.
    """
    profile_policy.check_limits(policy, change)

    def decide(profile: Profile) -> Profile:
        after = apply(profile, change, now, version)
        if after is not profile:
            profile_policy.check_required(policy, change, after, editor)
        return after

    return decide


async def checked(ports: Ports, jid: str, change: ProfileChange, known: Profile | None) -> ProfileChange:
    """A change in its normal form, with the addresses that the profile shows for its picture; unless it shows that
    picture already.

    Args:
        ports: the node's ports.
        jid: the user's bare JID.
        change: what is wanted.
        known: as for `check`.

    Raises:
        ProfileInvalid: see `check`.
        HeliographError: the picture is refused; see `media.shown`.
    """
    address = media.address(ports, change.image)
    normal = check(change if address == change.image else replace(change, image=address), known)
    if not normal.image or (known is not None and known.image == normal.image):
        return normal
    image, thumbnail = await media.shown(ports, jid, normal.image)
    return replace(normal, image=image, thumb_image=thumbnail or normal.thumb_image)


async def own(ports: Ports, jid: str) -> Profile:
    """A user's profile as the user sees it.

    Raises:
        AccountNotFound: there is no such user.
    """
    profile = await ports.profiles.lookup(jid)
    if profile is None:
        raise AccountNotFound
    return profile


async def get(ports: Ports, viewer_jid: str, jid: str) -> Profile:
    """A user's profile as another user (or the same one) may see it.

    Raises:
        AccountNotFound: there is no such user in the viewer's app and environment, or one of the two blocks the
            other.
    """
    if not are_of_one_app(viewer_jid, jid):
        raise AccountNotFound
    profile = await own(ports, jid)
    if viewer_jid == jid:
        return profile
    if await blocking.are_apart(ports, viewer_jid, jid):
        raise AccountNotFound
    return redact(profile, viewer_of(await ports.contacts.lookup(jid, viewer_jid)))
