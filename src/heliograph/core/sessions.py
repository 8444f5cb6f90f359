"""Device sessions: each is one device's sign-in with a password of its own, capped per user, and ended alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Via(StrEnum):
    """How a session came to be."""

    REGISTER = "register"
    QR = "qr"


class EndReason(StrEnum):
    """Why a session ended; told to the device and kept in the record."""

    LOGOUT = "logout"
    EVICTED = "evicted"
    REPLACED = "replaced"
    ENDED_BY_USER = "ended_by_user"
    ENDED_BY_ADMIN = "ended_by_admin"
    ADMIN_BLOCKED = "admin_blocked"
    ACCOUNT_DELETED = "account_deleted"
    TOKEN_REUSED = "token_reused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Device:
    """What a device says of itself (each at most 128 characters) and the address it came from; all may be empty."""

    device: str = ""
    browser: str = ""
    os: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A live device session. Times are seconds since the epoch."""

    id: str
    account_id: int
    via: Via
    device: Device
    created_at: float
    last_active_at: float


@dataclass(frozen=True, slots=True)
class Verifiers:
    """What the server keeps of a session's password: enough to check a proof, never enough to make one.

    `stored_*` and `server_*` are the StoredKey and ServerKey of RFC 5802, section 3, for SCRAM-SHA-1 and SCRAM-SHA-256;
    `sha256` is the SHA-256 of the password, for PLAIN (the password is random, so no slow hash is needed).
    """

    stored_sha1: bytes
    server_sha1: bytes
    stored_sha256: bytes
    server_sha256: bytes
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """A new password with its verifiers under a salt and an iteration count. The password leaves in the answer and is
    forgotten.
    """

    password: str
    salt: bytes
    iterations: int
    verifiers: Verifiers

    def __repr__(self) -> str:
        return "Credentials(…)"
