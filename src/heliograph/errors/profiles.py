"""Profiles."""

from __future__ import annotations

from heliograph.errors.base import CONFLICT, Row, UsageError


class ProfileInvalid(UsageError):
    """A profile field breaks its rule; `details.field` names it."""

    row = Row("profile_invalid", 400, "The profile is not valid")


class ProfileConflict(UsageError):
    """The caller's `version` is no longer the current one; nothing was changed."""

    row = Row("profile_conflict", 409, "The profile has changed since that version", CONFLICT)
