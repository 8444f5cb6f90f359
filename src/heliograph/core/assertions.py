"""Identity assertions: a JWT (RFC 7519) by which an app's backend vouches that its bearer is a certain user, once."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, Key, OKPKey, import_key
from joserfc.jws import JWSRegistry

from heliograph.core import limits
from heliograph.core.apps import App
from heliograph.errors import RegistrationUnverified

_FAR = 2.0**53
"""Times lie below this, seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """The single use of an identity assertion: its id hashed, and when the record may be forgotten."""

    hash: bytes
    expires_at: float


def verify(app: App, domain: str, assertion: str, identifier: str, now: float) -> AssertionUse:
    """Check an identity assertion; that it is used only once is checked by the store, when the registration is written.

    The algorithm is the one that the app's key is for: ES256 for a P-256 key, EdDSA (RFC 8037; `Ed25519` in RFC 9864)
    for an Ed25519 key; what the token's header says cannot change that (RFC 8725, section 3.1).

    Args:
        app: the app whose backend signed.
        domain: the app's live JID domain, which `aud` must hold.
        assertion: the JWT in compact form.
        identifier: the user to be registered, which `sub` must be.
        now: seconds since the epoch.

    Raises:
        RegistrationUnverified: a check failed; `details.reason` is `malformed`, `algorithm`, `signature`, `subject`,
            `audience`, `issued_at`, `not_before`, `expired` or `id`.
    """
    claims = _signed_claims(app, assertion)
    if claims.get("sub") != identifier:
        raise _refusal("subject")
    if not _is_audience(claims.get("aud"), domain):
        raise _refusal("audience")
    issued_at = _check_times(claims, now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= limits.ASSERTION_ID_MAX_CHARS:
        raise _refusal("id")
    # JSON can escape a lone surrogate, which plain UTF-8 refuses.
    use = hashlib.sha256(f"{app.id}|{jti}".encode("utf-8", "surrogatepass")).digest()
    return AssertionUse(use, issued_at + limits.ASSERTION_MAX_AGE_S + limits.ASSERTION_SKEW_S)


def _signed_claims(app: App, assertion: str) -> Mapping[str, Any]:
    if len(assertion) > limits.ASSERTION_MAX_CHARS or not assertion.isascii():
        raise _refusal("malformed")
    key = import_key(json.loads(app.assertion_key))
    algorithms = _algorithms(key)
    if not algorithms:
        raise _refusal("algorithm")
    # A header parameter that is not understood is ignored, unless `crit` names it (RFC 7515, section 4).
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    try:
        return jwt.decode(assertion, key, registry=registry).claims
    except UnsupportedAlgorithmError as error:
        raise _refusal("algorithm") from error
    except BadSignatureError as error:
        raise _refusal("signature") from error
    except (JoseError, TypeError, ValueError, RecursionError) as error:
        # The last three are what JSON of the wrong shape or depth brings about inside the library.
        raise _refusal("malformed") from error


def _algorithms(key: Key) -> list[str]:
    """The algorithms that a key's type and curve allow; none for a key of another kind."""
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return ["ES256"]
    if isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        return ["EdDSA", "Ed25519"]
    return []


def _is_audience(audience: object, domain: str) -> bool:
    """Whether `aud` names the domain: as a string, or as one of several (RFC 7519, section 4.1.3)."""
    return domain in audience if isinstance(audience, list) else audience == domain


def _check_times(claims: Mapping[str, Any], now: float) -> float:
    """Check `iat`, `nbf` and `exp` (RFC 7519, section 4.1); gives `iat`, which alone is required."""
    issued_at = _time(claims, "iat", "issued_at", default=-math.inf)
    if not now - limits.ASSERTION_MAX_AGE_S <= issued_at <= now + limits.ASSERTION_SKEW_S:
        raise _refusal("issued_at")
    if _time(claims, "nbf", "not_before", default=-math.inf) > now + limits.ASSERTION_SKEW_S:
        raise _refusal("not_before")
    if _time(claims, "exp", "expired", default=math.inf) <= now:
        raise _refusal("expired")
    return issued_at


def _time(claims: Mapping[str, Any], name: str, reason: str, default: float) -> float:
    """A claim that is a time in seconds since the epoch, refused for `reason` if it is something else.

    Python's reader of JSON also takes `NaN`, `Infinity` and integers without end, which are no times.
    """
    claim = claims.get(name, default)
    if isinstance(claim, bool) or not isinstance(claim, int | float) or (name in claims and not abs(claim) < _FAR):
        raise _refusal(reason)
    return float(claim)


def _refusal(reason: str) -> RegistrationUnverified:
    return RegistrationUnverified(f"The identity assertion is not valid: {reason}", details={"reason": reason})
