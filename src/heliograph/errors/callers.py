"""Who is calling, and what that caller may not do."""

from __future__ import annotations

from heliograph.errors.base import AUTH, CANCEL, FORBIDDEN, Row, UsageError


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
