"""QR sign-in; the codes are those of RFC 8628, section 3.5, where it has them."""

from __future__ import annotations

from heliograph.errors.base import CONFLICT, FORBIDDEN, WAIT, Row, UsageError


class ExpiredToken(UsageError):
    """A QR link or its code is over, or there never was one (RFC 8628, section 3.5)."""

    row = Row("expired_token", 400, "The code has expired")


class AccessDenied(UsageError):
    """The QR sign-in was refused: by the user, by the app's policy, or because the asking side may not (RFC 8628,
    section 3.5).
    """

    row = Row("access_denied", 403, "The sign-in was refused", FORBIDDEN)


class SlowDown(UsageError):
    """Too many messages or codes on one QR link; `retry_after_s` says when to go on (RFC 8628, section 3.5)."""

    row = Row("slow_down", 429, "Slow down", WAIT, "temporary-auth-failure", is_retryable=True)


class AuthorizationPending(UsageError):
    """The step has to wait for the phone (RFC 8628, section 3.5)."""

    row = Row("authorization_pending", 409, "The phone has not approved yet", CONFLICT, is_retryable=True)


class CheckCodeMismatch(UsageError):
    """The check code is not the one that the phone shows; `details.triesLeft` says how often it may be tried again."""

    row = Row("check_code_mismatch", 403, "The check code is not the one that the phone shows", FORBIDDEN)


class KeyMismatch(UsageError):
    """The browser's key is not the one that the QR code names, or the browser does not hold it."""

    row = Row("key_mismatch", 403, "The key is not the one that the code names", FORBIDDEN)


class AlreadyUsed(UsageError):
    """The code, the approval or the delivery was used before; each works once."""

    row = Row("already_used", 409, "This was used before", CONFLICT)


class OriginForbidden(UsageError):
    """The page that asks is not among the app's origins."""

    row = Row("origin_forbidden", 403, "Pages of this origin may not use the app", FORBIDDEN)


class StepUpRequired(UsageError):
    """A session that was linked by QR code may not do this: it takes one of the user's own sign-in."""

    row = Row("step_up_required", 403, "A session that was linked by QR code may not do this", FORBIDDEN)
