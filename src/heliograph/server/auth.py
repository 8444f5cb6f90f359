"""Who is calling: the licence key or secret key in `Heliograph-Key`, and the token in `Authorization`."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from heliograph.core import apps, rate_limits, tokens
from heliograph.core.apps import Caller, Environment
from heliograph.core.ports import Ports
from heliograph.core.tokens import Identity, TokenKind
from heliograph.errors import (
    LicenseInvalid,
    LicenseModeMismatch,
    TokenMalformed,
    TokenMissing,
    TokenRevoked,
)

KEY_HEADER = "Heliograph-Key"
_SCHEME = "bearer"


async def admit(request: HTTPConnection, ports: Ports, *, needs_token: bool) -> tuple[Caller, Identity | None]:
    """Who is calling, where that is within the rates of its address, app, key and account.

    Args:
        request: the call.
        ports: the node's ports.
        needs_token: whether it is a call of a signed-in user.

    Raises:
        RateLimited: it is beyond one of them.
        LicenseInvalid, TokenMissing, TokenMalformed, TokenExpired, TokenRevoked, AdminBlocked: as `caller`, `identity`.
    """
    address = request.client.host if request.client else ""
    try:
        known = await caller(request, ports)
        await rate_limits.check(ports, *rate_limits.for_call(known, address))
        if not needs_token:
            return known, None
        signed_in = await identity(request, ports, known)
    except (LicenseInvalid, TokenMalformed, TokenRevoked):
        await rate_limits.check(ports, *rate_limits.for_wrong_key(address))
        raise
    await rate_limits.check(ports, *rate_limits.for_account(signed_in.account.jid))
    return known, signed_in


async def caller(request: HTTPConnection, ports: Ports) -> Caller:
    """The app and environment of the request's key.

    Raises:
        LicenseInvalid: the key is missing, malformed or unknown.
    """
    return await apps.authenticate_key(ports, request.headers.get(KEY_HEADER))


async def identity(request: HTTPConnection, ports: Ports, known: Caller) -> Identity:
    """The user and the session of the request's access token.

    Raises:
        TokenMissing, TokenMalformed, TokenExpired, TokenRevoked, AdminBlocked: see `tokens.authenticate`.
    """
    return await tokens.authenticate(ports, known, bearer(request))


def bearer(request: HTTPConnection) -> str | None:
    """What `Authorization` holds: a bearer token (RFC 6750, section 2.1), also without the word `Bearer`."""
    value = request.headers.get("Authorization", "").strip()
    scheme, _, token = value.partition(" ")
    return (token.strip() if scheme.lower() == _SCHEME else value) or None


def assertion(request: HTTPConnection) -> str | None:
    """The identity assertion that a registration brings, in `Authorization`, where `setUserToken` puts it.

    A device that was signed in before may still send its old access token there. That says nothing about who registers
    now, so it counts as no assertion. All else is handed to `core`, which refuses what is no valid assertion.
    """
    token = bearer(request)
    try:
        tokens.check_form(token, TokenKind.ACCESS)
    except (TokenMissing, TokenMalformed):
        return token
    return None


def require_mode(known: Caller, is_trial: bool | None) -> None:
    """Check what a client believes its key to be; `None` is no belief.

    Raises:
        LicenseModeMismatch: the key is of the other kind.
    """
    if is_trial is not None and is_trial is not (known.environment is Environment.SANDBOX):
        raise LicenseModeMismatch
