"""What is wrong with a request as such: its form, its size, its address, its rate."""

from __future__ import annotations

from heliograph.errors.base import CANCEL, MISSING, WAIT, Row, UsageError


class RequestInvalid(UsageError):
    """The request's form is wrong: not JSON, a missing or mistyped field."""

    row = UsageError.row


class IdentifierInvalid(UsageError):
    """A user identifier breaks the rule `^[a-z0-9_-]{1,191}$`."""

    row = Row(
        "identifier_invalid",
        400,
        "A user identifier has 1 to 191 characters, each one of a-z, 0-9, hyphen or underscore",
    )


class MetadataInvalid(UsageError):
    """Registration metadata breaks its limits."""

    row = Row("metadata_invalid", 400, "Metadata holds at most 3 entries of String, Boolean or finite Number")


class PayloadTooLarge(UsageError):
    """The request body is larger than its limit."""

    row = Row("payload_too_large", 413, "The request is too large")


class RouteNotFound(UsageError):
    """No such address."""

    row = Row("route_not_found", 404, "There is nothing at this address", MISSING)


class MethodNotAllowed(UsageError):
    """The address exists, but not for this HTTP method."""

    row = Row("method_not_allowed", 405, "This address does not take that method", CANCEL)


class RateLimited(UsageError):
    """Too many calls; `retry_after_s` says when to come back."""

    row = Row("rate_limited", 429, "Too many requests", WAIT, "temporary-auth-failure", is_retryable=True)
