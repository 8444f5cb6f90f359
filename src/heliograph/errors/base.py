"""What all errors have in common: the row of the table, and the three bases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple


class StanzaCondition(NamedTuple):
    """An XMPP stanza error: its type (`cancel`, `modify`, `auth`, `wait`) and its defined condition."""

    type: str
    condition: str


CANCEL = StanzaCondition("cancel", "not-allowed")
MODIFY = StanzaCondition("modify", "bad-request")
AUTH = StanzaCondition("auth", "not-authorized")
FORBIDDEN = StanzaCondition("auth", "forbidden")
MISSING = StanzaCondition("cancel", "item-not-found")
CONFLICT = StanzaCondition("cancel", "conflict")
WAIT = StanzaCondition("wait", "resource-constraint")
INTERNAL = StanzaCondition("wait", "internal-server-error")


class Row(NamedTuple):
    """One row of the error table."""

    code: str
    status: int
    message: str
    stanza: StanzaCondition = MODIFY
    sasl: str = "not-authorized"
    is_retryable: bool = False


class HeliographError(Exception):
    """The base of all errors that carry a code.

    Attributes:
        message: one sentence for a person; never holds a secret.
        details: JSON-safe facts for a program, or an empty mapping.
        retry_after_s: seconds after which a retry may succeed, or `None`.
    """

    row: ClassVar[Row] = Row(
        "internal_error", 500, "Internal error", INTERNAL, "temporary-auth-failure", is_retryable=True
    )

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.message = message or self.row.message
        self.details: Mapping[str, Any] = details or {}
        self.retry_after_s = retry_after_s
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The stable code, for programs."""
        return self.row.code

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.row.status

    def body(self) -> dict[str, Any]:
        """The public form: `{statusCode, message, code, details?}`."""
        body: dict[str, Any] = {"statusCode": self.row.status, "message": self.message, "code": self.row.code}
        if self.details:
            body["details"] = dict(self.details)
        return body


class UsageError(HeliographError):
    """Our caller asked for something that cannot be: the request itself must change."""

    row = Row("request_invalid", 400, "The request is not valid")


class PeerError(HeliographError):
    """The remote side failed or refused: it was not the caller's fault."""

    row = Row("unreachable", 503, "The server cannot be reached", WAIT, "temporary-auth-failure", is_retryable=True)
