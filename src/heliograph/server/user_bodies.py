"""Records about users as bodies of `wire`: for the app's own backend, and for a user on leaving."""

from __future__ import annotations

import math

from msgspec import structs

from heliograph import wire
from heliograph.core.account_changes import Feedback
from heliograph.core.accounts import Account
from heliograph.core.apps import Environment
from heliograph.core.deletion import Deletion
from heliograph.core.directory import Found
from heliograph.core.timestamps import iso, optional_iso
from heliograph.core.user_jids import identifier_of
from heliograph.server import bodies


def account(record: Account) -> wire.AccountBody:
    """A user, for the app's own backend."""
    return wire.AccountBody(
        user_id=record.identifier,
        user_jid=record.jid,
        is_admin_blocked=record.is_blocked,
        is_sandbox=record.environment is Environment.SANDBOX,
        is_deleted=record.is_deleted,
        purge_at=optional_iso(record.purge_at),
        max_sessions=record.max_sessions,
        meta_data=dict(record.metadata),
        created_at=iso(record.created_at),
        expires_at=optional_iso(record.expires_at),
    )


def found(page: int, limit: int, answer: Found) -> wire.UsersData:
    """A page of a search."""
    return wire.UsersData(
        users=tuple(
            wire.ListedUserBody(**structs.asdict(bodies.profile(entry.profile)), meta_data=dict(entry.metadata))
            for entry in answer.entries
        ),
        page=page,
        limit=limit,
        total_records=answer.total,
        total_pages=math.ceil(answer.total / limit),
    )


def deletion(decided: Deletion) -> wire.DeletionData:
    """A deletion that was decided."""
    return wire.DeletionData(deleted_at=iso(decided.deleted_at), purge_at=iso(decided.purge_at))


def feedback(said: Feedback) -> wire.FeedbackBody:
    """What a user said on leaving."""
    return wire.FeedbackBody(
        user_id=None if said.jid is None else identifier_of(said.jid),
        reason=said.reason,
        feedback=said.feedback,
        created_at=iso(said.created_at),
    )
