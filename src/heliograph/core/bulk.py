"""Registration in bulk: an app's backend moves its users in, a thousand a call, each with an outcome of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import accounts, limits, rate_limits
from heliograph.core.accounts import Registered, RegisterRequest
from heliograph.core.apps import require_backend
from heliograph.errors import RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ports


async def admit(ports: Ports, caller: Caller, count: int) -> None:
    """Let a call in that registers so many users.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
        RequestInvalid: there are none, or too many of them.
        RateLimited: the backend has registered too many of late.
    """
    require_backend(caller)
    if not 1 <= count <= limits.BULK_USERS_MAX:
        raise RequestInvalid(
            f"A call registers 1 to {limits.BULK_USERS_MAX} users",
            details={"field": "users", "min": 1, "max": limits.BULK_USERS_MAX},
        )
    await rate_limits.check(ports, *rate_limits.for_bulk(caller, count))


async def register(ports: Ports, caller: Caller, request: RegisterRequest, known: set[str]) -> Registered:
    """Register one of the users of such a call.

    Args:
        ports: the node's ports.
        caller: the app's backend.
        request: what is asked for.
        known: the identifiers that the call has named before, to which this one is added.

    Raises:
        RequestInvalid: the call names the user twice. And as `accounts.register`.
    """
    require_backend(caller)
    if request.identifier in known:
        raise RequestInvalid("The call names this user twice", details={"field": "userIdentifier"})
    known.add(request.identifier)
    return await accounts.open_session(ports, caller, request)
