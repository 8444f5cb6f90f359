"""The bodies of the audit trail."""

from __future__ import annotations

from typing import Any

from heliograph.wire.envelope import Body


class AuditEntryBody(Body, frozen=True, kw_only=True):
    """One thing that happened.

    Attributes:
        number: its place in the app's trail; a user's entries have gaps between their numbers.
        at: when, as ISO 8601 in UTC.
        kind: what, such as `session.ended`.
        user_id: the user's identifier; `""` where it is about no user.
        session_id: the session; `""` where it is about none.
        facts: what else there is to say, such as `reason`, `device` or `changed`.
    """

    number: int
    at: str
    kind: str
    user_id: str
    session_id: str
    facts: dict[str, Any]


class AuditData(Body, frozen=True, kw_only=True):
    """A page of the audit trail, the newest entry first. `next` is the `before` of the page behind it."""

    entries: tuple[AuditEntryBody, ...]
    next: int | None
