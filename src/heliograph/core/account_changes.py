"""What an app or a user changes about an account: blocked or not, metadata, the cap on sessions, signed out everywhere.

Each is one decision inside one transaction of the store, which also ends the sessions that go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.core.accounts import Account, lookup
from heliograph.core.apps import require_backend
from heliograph.core.metadata import Metadata, check_metadata, merge
from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound, RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ports


@dataclass(frozen=True, slots=True)
class Feedback:
    """Why a user left, in the user's own words.

    Attributes:
        number: counts all feedback; `0` before it is stored.
        jid: the user's bare JID; `None` once the account is gone for good.
        created_at: seconds since the epoch.
    """

    number: int
    jid: str | None
    reason: str
    feedback: str
    created_at: float


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A decision about an account.

    Attributes:
        account: the account as it is from now on.
        ends: why all of its sessions end with it; `None`: they go on.
        feedback: what the user leaves behind.
    """

    account: Account
    ends: EndReason | None = None
    feedback: Feedback | None = None


async def change(ports: Ports, jid: str, decide: Callable[[Account], AccountChange]) -> tuple[Account, list[str]]:
    """Change an account; where its sessions end with it, its connections are closed for that reason.

    Returns:
        The account as it is now, and the ids of the sessions that ended.

    Raises:
        AccountNotFound: there is no such account. Whatever `decide` raises.
    """
    changed, ended = await ports.accounts.change(jid, ports.clock.now(), decide)
    if changed.ends is not None:
        ports.engine.disconnect_account(jid, changed.ends)
    return changed.account, ended


async def set_blocked(ports: Ports, caller: Caller, identifier: str, is_blocked: bool) -> Account:
    """Block or unblock a user as the app's administrator. Blocking ends all of the user's sessions.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
        AccountNotFound: there is no such user.
    """
    require_backend(caller)
    account = await lookup(ports, caller, identifier)
    reason = EndReason.ADMIN_BLOCKED if is_blocked else None

    def decide(found: Account) -> AccountChange:
        return AccountChange(replace(found, is_blocked=is_blocked), reason)

    changed, _ = await change(ports, account.jid, decide)
    profile = await ports.profiles.lookup(account.jid)
    if profile is not None and profile.version and is_blocked is not account.is_blocked:
        ports.engine.prepare_profile(profile)()  # it says so
    return changed


async def end_everywhere(ports: Ports, caller: Caller, identifier: str) -> list[str]:
    """Sign a user out everywhere; gives the ids of the sessions that ended.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
        AccountNotFound: there is no such user.
    """
    require_backend(caller)
    account = await lookup(ports, caller, identifier)
    _, ended = await change(ports, account.jid, lambda found: AccountChange(found, EndReason.ENDED_BY_ADMIN))
    return ended


async def set_max_sessions(ports: Ports, caller: Caller, identifier: str, max_sessions: int | None) -> Account:
    """Give a user a cap on sessions of its own, or the app's again (`None`). What exceeds it stays until it moves.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
        RequestInvalid: the cap is out of its bounds.
        AccountNotFound: there is no such user.
    """
    require_backend(caller)
    if max_sessions is not None and not 1 <= max_sessions <= limits.SESSIONS_MAX:
        raise RequestInvalid(
            f"A cap on sessions lies between 1 and {limits.SESSIONS_MAX}",
            details={"field": "maxSessions", "min": 1, "max": limits.SESSIONS_MAX},
        )
    account = await lookup(ports, caller, identifier)

    def decide(found: Account) -> AccountChange:
        return AccountChange(replace(found, max_sessions=max_sessions))

    changed, _ = await change(ports, account.jid, decide)
    return changed


async def get_metadata(ports: Ports, jid: str) -> Metadata:
    """A user's metadata.

    Raises:
        AccountNotFound: there is no such user.
    """
    account = await ports.accounts.lookup(jid)
    if account is None:
        raise AccountNotFound
    return account.metadata


async def set_metadata(ports: Ports, jid: str, metadata: Mapping[str, object]) -> Metadata:
    """Replace a user's metadata.

    Raises:
        MetadataInvalid: it breaks its limits.
        AccountNotFound: there is no such user.
    """
    checked = check_metadata(metadata)
    account, _ = await change(ports, jid, lambda found: AccountChange(replace(found, metadata=checked)))
    return account.metadata


async def merge_metadata(ports: Ports, jid: str, patch: Mapping[str, object]) -> Metadata:
    """Change some entries of a user's metadata; `None` removes one.

    Raises:
        MetadataInvalid: what comes of it breaks the limits; nothing is changed.
        AccountNotFound: there is no such user.
    """

    def decide(found: Account) -> AccountChange:
        return AccountChange(replace(found, metadata=merge(found.metadata, patch)))

    account, _ = await change(ports, jid, decide)
    return account.metadata
