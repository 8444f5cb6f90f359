"""Every error that Heliograph can tell anyone, in one table.

Each class carries a `Row`: the stable `code`, the HTTP status, the XMPP stanza error (RFC 6120, section 8.3.3), the
SASL condition (RFC 6120, section 6.5) and whether the same call may succeed when tried again. The server turns an error
into an answer with `body()`; the SDKs turn an answer into an error with `error_from_body()`. `TABLE` lists all classes
by code.
"""

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


# ---------------------------------------------------------------------------------------------------------- requests


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


class ProfileInvalid(UsageError):
    """A profile field breaks its rule; `details.field` names it."""

    row = Row("profile_invalid", 400, "The profile is not valid")


class PayloadTooLarge(UsageError):
    """The request body is larger than its limit."""

    row = Row("payload_too_large", 413, "The request is too large")


class MediaUnsupported(UsageError):
    """An uploaded file is not one of the accepted image types."""

    row = Row("media_unsupported", 415, "Images are PNG, JPEG, WebP or GIF")


class ImageInvalid(UsageError):
    """A picture is damaged, cut off, or not what its first bytes say."""

    row = Row("image_invalid", 400, "The picture is damaged")


class ImageTooManyPixels(UsageError):
    """A picture has more pixels than are decoded; `details.maxPixels` says how many these are."""

    row = Row("image_too_many_pixels", 413, "The picture has too many pixels")


class ImageTooCostly(UsageError):
    """Decoding a picture broke the bounds on memory or time."""

    row = Row("image_too_costly", 400, "The picture takes too much memory or time to read")


class RemoteRefused(UsageError):
    """An address of another server was given that this node does not call: not public, not of the web, or malformed."""

    row = Row("remote_refused", 400, "This address is not called")


class RouteNotFound(UsageError):
    """No such address."""

    row = Row("route_not_found", 404, "There is nothing at this address", MISSING)


class MethodNotAllowed(UsageError):
    """The address exists, but not for this HTTP method."""

    row = Row("method_not_allowed", 405, "This address does not take that method", CANCEL)


# ---------------------------------------------------------------------------------------------------- who is calling


class LicenseInvalid(UsageError):
    """The licence key is missing, malformed, unknown or revoked."""

    row = Row("license_invalid", 401, "The licence key is not valid", AUTH)


class LicenseModeMismatch(UsageError):
    """`isTrialLicenseKey` contradicts the key."""

    row = Row("license_mode_mismatch", 400, "The licence key is not of the kind that isTrialLicenseKey says")


class RegistrationUnverified(UsageError):
    """A live registration came without the secret key and without a valid identity assertion."""

    row = Row("registration_unverified", 401, "A live registration needs the secret key or an identity assertion", AUTH)


class SecretKeyRequired(UsageError):
    """Only the app's own backend, with its secret key, may do this."""

    row = Row("secret_key_required", 403, "This call needs the app's secret key", FORBIDDEN)


class TokenMissing(UsageError):
    """The call needs an access token and has none."""

    row = Row("token_missing", 401, "An access token is needed", AUTH)


class TokenMalformed(UsageError):
    """What was sent as a token cannot be one."""

    row = Row("token_malformed", 401, "The token is malformed", AUTH, "malformed-request")


class TokenExpired(UsageError):
    """The token was good and its time is over: refresh it."""

    row = Row("token_expired", 401, "Token Expired", AUTH, "credentials-expired", is_retryable=True)


class TokenRevoked(UsageError):
    """The token's session has ended, or the token is unknown."""

    row = Row("token_revoked", 401, "The token is revoked", AUTH)


class TokenSubjectMismatch(UsageError):
    """The token belongs to another user than the signed-in one."""

    row = Row("token_subject_mismatch", 400, "The token belongs to another user")


class AdminBlocked(UsageError):
    """The user was blocked by the app's administrator."""

    row = Row("admin_blocked", 403, "The user is blocked by the administrator", FORBIDDEN, "account-disabled")


class FeatureDisabled(UsageError):
    """The app does not offer this feature; `details.feature` names it."""

    row = Row("feature_disabled", 403, "The app does not offer this feature", CANCEL)


class RateLimited(UsageError):
    """Too many calls; `retry_after_s` says when to come back."""

    row = Row("rate_limited", 429, "Too many requests", WAIT, "temporary-auth-failure", is_retryable=True)


# ------------------------------------------------------------------------------------------ accounts and sessions


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


class ContactInvalid(UsageError):
    """A contact cannot be made so, such as with oneself."""

    row = Row("contact_invalid", 400, "This contact cannot be made")


class ContactLimit(UsageError):
    """The contact list holds as many entries as it may."""

    row = Row("contact_limit", 403, "The contact list holds as many entries as it may", WAIT)


class ContactRequestNotFound(UsageError):
    """Nobody of that name waits to become a contact."""

    row = Row("contact_request_not_found", 404, "There is no such request", MISSING)


class InvitationInvalid(UsageError):
    """An invitation is unknown, over, revoked or used up; which of these is not told."""

    row = Row("invitation_invalid", 404, "The invitation is not valid, or not any more", MISSING)


class InvitationLimit(UsageError):
    """The user has as many invitations open as may be."""

    row = Row("invitation_limit", 403, "As many invitations are open as may be", WAIT)


class BlockInvalid(UsageError):
    """Nobody blocks oneself."""

    row = Row("block_invalid", 400, "This user cannot be blocked", StanzaCondition("cancel", "not-allowed"))


class BlockLimit(UsageError):
    """The block list holds as many entries as it may."""

    row = Row("block_limit", 403, "The block list holds as many entries as it may", WAIT)


class LastSeenHidden(UsageError):
    """When a user was last there is told to those alone who may see the user's presence."""

    row = Row("last_seen_hidden", 403, "Only a contact may see when this user was last there", FORBIDDEN)


class ProfileConflict(UsageError):
    """The caller's `version` is no longer the current one; nothing was changed."""

    row = Row("profile_conflict", 409, "The profile has changed since that version", CONFLICT)


class AppInvalid(UsageError):
    """An app cannot be created or changed so; `details.field` names the reason."""

    row = Row("app_invalid", 400, "The app's settings are not valid")


class WebhookInvalid(UsageError):
    """A webhook cannot be made so."""

    row = Row("webhook_invalid", 400, "The webhook is not valid")


class WebhookNotFound(UsageError):
    """There is no webhook of that id."""

    row = Row("webhook_not_found", 404, "There is no such webhook", MISSING)


class SettingsInvalid(UsageError):
    """A node cannot start with these settings; `details.settings` names the ones at fault."""

    row = Row("settings_invalid", 400, "The node's settings are not valid")


# ------------------------------------------------------------------------------------------------------- QR sign-in


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


# ------------------------------------------------------------------------------------------------------- connection


class AuthenticationFailed(UsageError):
    """The username or the password is wrong."""

    row = Row("authentication_failed", 401, "Authentication failed", AUTH)


class AlreadyConnected(UsageError):
    """The SDK is connected as another user."""

    row = Row("already_connected", 409, "Already connected as another user", CONFLICT)


class NotConnected(UsageError):
    """The call needs a connection, a registration or an initialised SDK first."""

    row = Row("not_connected", 409, "Connect first", CONFLICT)


class Unreachable(PeerError):
    """The server cannot be reached, or closed the connection."""

    row = PeerError.row


class TimedOut(PeerError):
    """The server did not answer in time."""

    row = Row("timeout", 504, "The server did not answer in time", WAIT, "temporary-auth-failure", is_retryable=True)


class MediaBusy(PeerError):
    """More pictures are coming in than can be taken; `retry_after_s` says when to come back."""

    row = Row("media_busy", 503, "Too many pictures are coming in", WAIT, is_retryable=True)


class RemoteFailed(PeerError):
    """Another server, at an address that was given, could not be reached or did not give what was asked for."""

    row = Row("remote_failed", 502, "The server at that address did not answer as it should", WAIT, is_retryable=True)


class InternalError(PeerError):
    """A bug on the server's side; `details.errorId` finds it in the logs."""

    row = HeliographError.row


def _classes(base: type[HeliographError]) -> list[type[HeliographError]]:
    return [found for cls in base.__subclasses__() for found in (cls, *_classes(cls))]


TABLE: Mapping[str, type[HeliographError]] = {cls.row.code: cls for cls in _classes(HeliographError)}
"""Every error class by its code; where a base and a leaf share a code, the leaf stands."""


def error_from_body(status: int, body: Mapping[str, Any], retry_after_s: float | None = None) -> HeliographError:
    """Rebuild the typed error from an answer's body; an unknown code becomes the base class for its status."""
    cls = TABLE.get(str(body.get("code")), InternalError if status >= 500 else RequestInvalid)
    details = body.get("details")
    message = body.get("message")
    return cls(
        message if isinstance(message, str) else None,
        details=details if isinstance(details, Mapping) else None,
        retry_after_s=retry_after_s,
    )
