"""Status texts to choose from: those that an app offers, and those that a user has had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heliograph.core import apps, limits, profile_policy, profiles
from heliograph.core.profiles import ProfileChange
from heliograph.errors import AccountNotFound, AppInvalid, ProfileInvalid

if TYPE_CHECKING:
    from heliograph.core.apps import Caller, Policy
    from heliograph.core.ports import Ports


@dataclass(frozen=True, slots=True)
class Statuses:
    """What a user may choose from.

    Attributes:
        recent: the newest first.
    """

    current: str
    offered: tuple[str, ...]
    recent: tuple[str, ...]


def check_offered(policy: Policy, statuses: Sequence[str]) -> tuple[str, ...]:
    """The texts that an app offers in their normal form, each once.

    Raises:
        AppInvalid: there are too many, or one could not be a user's status; `details.field` is `statuses`.
    """
    try:
        checked = [profiles.check(ProfileChange(status=status)).status for status in statuses]
    except ProfileInvalid as error:
        raise AppInvalid(error.message, details={"field": "statuses"}) from error
    offered = tuple(dict.fromkeys(status for status in checked if status))
    if len(offered) > limits.OFFERED_STATUSES_MAX:
        raise AppInvalid(f"An app offers at most {limits.OFFERED_STATUSES_MAX} statuses", details={"field": "statuses"})
    try:
        for status in offered:
            profile_policy.check_limits(policy, ProfileChange(status=status))
    except ProfileInvalid as error:
        raise AppInvalid(error.message, details={"field": "statuses"}) from error
    return offered


async def of(ports: Ports, caller: Caller, jid: str) -> Statuses:
    """What a user may choose from.

    Raises:
        AccountNotFound: there is no such user.
    """
    profile = await ports.profiles.lookup(jid)
    if profile is None:
        raise AccountNotFound
    recent = await ports.profiles.recent_statuses(jid)
    return Statuses(profile.status, caller.app.policy.statuses, tuple(recent))


async def forget(ports: Ports, caller: Caller, jid: str, status: str | None) -> Statuses:
    """Take a text off the recent ones, or (`None`) all of them.

    Raises:
        AccountNotFound: there is no such user.
    """
    await ports.profiles.forget_status(jid, status)
    return await of(ports, caller, jid)


async def offer(ports: Ports, caller: Caller, statuses: Sequence[str]) -> tuple[str, ...]:
    """Let an app offer these texts from now on.

    Raises:
        AppInvalid: see `check_offered`.
    """
    policy = caller.app.policy
    offered = check_offered(policy, statuses)
    await apps.set_policy(ports, caller.app, replace(policy, statuses=offered))
    return offered
