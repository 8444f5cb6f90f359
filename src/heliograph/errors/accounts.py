"""Accounts and their device sessions."""

from __future__ import annotations

from heliograph.errors.base import CONFLICT, FORBIDDEN, MISSING, WAIT, Row, UsageError


class SessionLimit(UsageError):
    """The user is at the session cap; `details.sessions` lists the live sessions."""

    row = Row("session_limit", 405, "The maximum number of sessions is reached", WAIT)


class SessionNotFound(UsageError):
    """No live session of this user has that id."""

    row = Row("session_not_found", 404, "There is no such session", MISSING)


class IdempotencyMismatch(UsageError):
    """The `Idempotency-Key` was used before with another request."""

    row = Row("idempotency_mismatch", 409, "This Idempotency-Key belongs to another request", CONFLICT)


class SandboxFull(UsageError):
    """The app's sandbox holds as many users as it may."""

    row = Row("sandbox_full", 403, "The sandbox holds as many users as it may", WAIT)


class AccountNotFound(UsageError):
    """No such user in this app and environment."""

    row = Row("account_not_found", 404, "There is no such user", MISSING)


class AccountDeleted(UsageError):
    """The user was deleted; until the grace period is over, the app can restore it, and nobody else takes its name."""

    row = Row("account_deleted", 403, "The user was deleted", FORBIDDEN, "account-disabled")
