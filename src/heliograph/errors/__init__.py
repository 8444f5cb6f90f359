"""Every error that Heliograph can tell anyone, in one table.

Each class carries a `Row`: the stable `code`, the HTTP status, the XMPP stanza error (RFC 6120, section 8.3.3), the
SASL condition (RFC 6120, section 6.5) and whether the same call may succeed when tried again. The server turns an error
into an answer with `body()`; the SDKs turn an answer into an error with `error_from_body()`. `TABLE` lists all classes
by code. A module holds the errors of one noun; everything is imported from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heliograph.errors.accounts import (
    AccountDeleted,
    AccountNotFound,
    IdempotencyMismatch,
    SandboxFull,
    SessionLimit,
    SessionNotFound,
)
from heliograph.errors.base import HeliographError, PeerError, Row, StanzaCondition, UsageError
from heliograph.errors.callers import (
    AdminBlocked,
    FeatureDisabled,
    LicenseInvalid,
    LicenseModeMismatch,
    RegistrationUnverified,
    SecretKeyRequired,
    TokenExpired,
    TokenMalformed,
    TokenMissing,
    TokenRevoked,
    TokenSubjectMismatch,
)
from heliograph.errors.connection import (
    AlreadyConnected,
    AuthenticationFailed,
    InternalError,
    NotConnected,
    TimedOut,
    Unreachable,
)
from heliograph.errors.contacts import (
    BlockInvalid,
    BlockLimit,
    ContactInvalid,
    ContactLimit,
    ContactRequestNotFound,
    InvitationInvalid,
    InvitationLimit,
    LastSeenHidden,
)
from heliograph.errors.media import ImageInvalid, ImageTooCostly, ImageTooManyPixels, MediaBusy, MediaUnsupported
from heliograph.errors.operation import AppInvalid, SettingsInvalid, WebhookInvalid, WebhookNotFound
from heliograph.errors.outbound import RemoteFailed, RemoteRefused
from heliograph.errors.profiles import ProfileConflict, ProfileInvalid
from heliograph.errors.qr import (
    AccessDenied,
    AlreadyUsed,
    AuthorizationPending,
    CheckCodeMismatch,
    ExpiredToken,
    KeyMismatch,
    OriginForbidden,
    SlowDown,
    StepUpRequired,
)
from heliograph.errors.requests import (
    IdentifierInvalid,
    MetadataInvalid,
    MethodNotAllowed,
    PayloadTooLarge,
    RateLimited,
    RequestInvalid,
    RouteNotFound,
)
from heliograph.errors.storage import OutcomeUnknown, StorageUnavailable

__all__ = [
    "TABLE",
    "AccessDenied",
    "AccountDeleted",
    "AccountNotFound",
    "AdminBlocked",
    "AlreadyConnected",
    "AlreadyUsed",
    "AppInvalid",
    "AuthenticationFailed",
    "AuthorizationPending",
    "BlockInvalid",
    "BlockLimit",
    "CheckCodeMismatch",
    "ContactInvalid",
    "ContactLimit",
    "ContactRequestNotFound",
    "ExpiredToken",
    "FeatureDisabled",
    "HeliographError",
    "IdempotencyMismatch",
    "IdentifierInvalid",
    "ImageInvalid",
    "ImageTooCostly",
    "ImageTooManyPixels",
    "InternalError",
    "InvitationInvalid",
    "InvitationLimit",
    "KeyMismatch",
    "LastSeenHidden",
    "LicenseInvalid",
    "LicenseModeMismatch",
    "MediaBusy",
    "MediaUnsupported",
    "MetadataInvalid",
    "MethodNotAllowed",
    "NotConnected",
    "OriginForbidden",
    "OutcomeUnknown",
    "PayloadTooLarge",
    "PeerError",
    "ProfileConflict",
    "ProfileInvalid",
    "RateLimited",
    "RegistrationUnverified",
    "RemoteFailed",
    "RemoteRefused",
    "RequestInvalid",
    "RouteNotFound",
    "Row",
    "SandboxFull",
    "SecretKeyRequired",
    "SessionLimit",
    "SessionNotFound",
    "SettingsInvalid",
    "SlowDown",
    "StanzaCondition",
    "StepUpRequired",
    "StorageUnavailable",
    "TimedOut",
    "TokenExpired",
    "TokenMalformed",
    "TokenMissing",
    "TokenRevoked",
    "TokenSubjectMismatch",
    "Unreachable",
    "UsageError",
    "WebhookInvalid",
    "WebhookNotFound",
    "error_from_body",
]


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
