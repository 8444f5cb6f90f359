"""Changes of profiles, their history, and statuses: between bodies of `wire` and records of `core`."""

from __future__ import annotations

from heliograph import wire
from heliograph.core.profile_history import ProfileEdit
from heliograph.core.profile_updates import Update, Updated
from heliograph.core.profiles import ProfileChange, Visibility
from heliograph.core.statuses import Statuses
from heliograph.core.timestamps import iso
from heliograph.errors import ProfileInvalid
from heliograph.server import bodies


def change(body: wire.ProfileRequest) -> ProfileChange:
    """What is wanted of a profile."""
    return ProfileChange(
        name=body.nick_name,
        image=body.image,
        status=body.status,
        mobile=body.mobile_number,
        email=body.email,
        visibility=None if body.visibility is None else _visibility(body.visibility),
    )


def _visibility(body: wire.VisibilityRequest) -> dict[str, Visibility]:
    chosen = {name: getattr(body, attribute) for name, attribute in bodies.PROFILE_FIELDS.items()}
    return {name: Visibility(value) for name, value in chosen.items() if value is not None}


def update(item: wire.ProfileUpdateItem) -> Update:
    """What a backend wants of one user's profile."""
    return Update(item.user_id, change(item), item.version)


def updated(done: Updated) -> wire.UpdatedBody:
    """What became of it."""
    if done.profile is not None:
        return wire.UpdatedBody(
            user_id=done.identifier, result="updated" if done.is_new else "unchanged", version=done.profile.version
        )
    error = bodies.profile_invalid(done.error) if isinstance(done.error, ProfileInvalid) else done.error
    return wire.UpdatedBody(
        user_id=done.identifier,
        result="failed",
        code=None if error is None else error.code,
        message=None if error is None else error.message,
        field=None if error is None else error.details.get("field"),
    )


def edit(record: ProfileEdit) -> wire.ProfileEditBody:
    """One change out of a profile's history."""
    fields = [
        wire.FieldEditBody(field=bodies.public_name(each.field), before=each.before, after=each.after)
        for each in record.fields
    ]
    return wire.ProfileEditBody(
        version=record.version,
        at=iso(record.at),
        by=record.editor.author.value,
        via=record.editor.path.value,
        session_id=record.editor.session_id,
        fields=tuple(fields),
    )


def statuses(found: Statuses) -> wire.StatusesBody:
    """What a user may choose a status from."""
    return wire.StatusesBody(current=found.current, offered=found.offered, recent=found.recent)
