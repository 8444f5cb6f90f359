"""Registrations that can be repeated: a caller that did not get the answer asks again with the same `Idempotency-Key`.

A password is never stored, and so the answer of the first time cannot be given again. The same session gets a new
password and new tokens instead, and the ones of the lost answer are void. So a retry makes no second session.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.errors import RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.apps import Caller

_KEY = re.compile(rf"[!-~]{{1,{limits.IDEMPOTENCY_KEY_MAX_CHARS}}}")


@dataclass(frozen=True, slots=True)
class RetryKey:
    """What marks one registration, for as long as it is remembered.

    Attributes:
        hash: the SHA-256 of the key together with whose it is, and whom it registers.
        fingerprint: the SHA-256 of what was asked for.
        expires_at: seconds since the epoch.
    """

    hash: bytes
    fingerprint: bytes
    expires_at: float


@dataclass(frozen=True, slots=True)
class Earlier:
    """What came of the first registration under a key: its session, and what had been asked for."""

    session_id: str
    fingerprint: bytes


def retry_key(caller: Caller, key: str | None, identifier: str, asked: bytes, now: float) -> RetryKey | None:
    """The mark of a registration, if its caller wants to be able to repeat it.

    Args:
        caller: which app and environment.
        key: the `Idempotency-Key`, as it was sent; `None` where there is none.
        identifier: whom to register.
        asked: all that was asked for, in one form.
        now: seconds since the epoch.

    Raises:
        RequestInvalid: the key has not 1 to 128 visible ASCII characters.
    """
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise RequestInvalid(
            f"An Idempotency-Key has 1 to {limits.IDEMPOTENCY_KEY_MAX_CHARS} visible ASCII characters",
            details={"field": "Idempotency-Key"},
        )
    scope = f"{caller.app.id}|{caller.environment}|{key}|{identifier}"
    hashed = hashlib.sha256(scope.encode("utf-8", "surrogatepass")).digest()
    return RetryKey(hashed, hashlib.sha256(asked).digest(), now + limits.IDEMPOTENCY_TTL_S)
