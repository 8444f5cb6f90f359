"""The records are out of reach: the database is away, or full, or has said nothing."""

from __future__ import annotations

from heliograph.errors.base import INTERNAL, WAIT, PeerError, Row


class StorageUnavailable(PeerError):
    """The database cannot be reached, or takes nothing now; the call has changed nothing."""

    row = Row(
        "storage_unavailable",
        503,
        "The records are out of reach for now; nothing was changed",
        WAIT,
        "temporary-auth-failure",
        is_retryable=True,
    )


class OutcomeUnknown(PeerError):
    """The database was lost while it committed: the change was made, or not. Look, or call again; a registration is
    called again with the same `Idempotency-Key`.
    """

    row = Row(
        "outcome_unknown",
        504,
        "The records are out of reach for now; whether the change was made is not known",
        INTERNAL,
        "temporary-auth-failure",
        is_retryable=True,
    )
