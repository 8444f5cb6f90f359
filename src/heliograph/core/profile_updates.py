"""What an app's backend does with profiles: one, or up to a thousand at once. It reaches clients as a user's own change
does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from heliograph.core import limits, profiles, rate_limits
from heliograph.core.profile_history import BACKEND
from heliograph.core.profiles import Profile, ProfileChange
from heliograph.errors import AccountNotFound, HeliographError, RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ports


@dataclass(frozen=True, slots=True)
class Update:
    """A change of one user's profile.

    Attributes:
        version: the one that it builds on, or `None` for whichever.
    """

    identifier: str
    change: ProfileChange
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of it: the profile, and whether it is a new version; or why nothing."""

    identifier: str
    profile: Profile | None
    is_new: bool = False
    error: HeliographError | None = None


class _Work:
    """One update under way, as the store asks for it."""

    def __init__(self, caller: Caller, update: Update) -> None:
        self.update = update
        self.jid = f"{update.identifier}@{caller.domain}"
        self.error: HeliographError | None = None
        self._policy = caller.app.policy
        self._found = 0

    async def prepare(self, ports: Ports, now: float) -> None:
        """Check it, as far as that can be done before the transaction."""
        try:
            if re.fullmatch(limits.IDENTIFIER_FORM, self.update.identifier) is None:
                raise AccountNotFound
            known = await ports.profiles.lookup(self.jid)
            change = await profiles.checked(ports, self.jid, self.update.change, known)
            self._decide = profiles.decision(change, now, self.update.version, self._policy, BACKEND)
        except HeliographError as error:
            self.error = error

    def decide(self, profile: Profile) -> Profile:
        """The profile after the change."""
        self._found = profile.version
        return self._decide(profile)

    def result(self, outcome: Profile | HeliographError | None) -> Updated:
        """What became of it."""
        if not isinstance(outcome, Profile):
            return Updated(self.update.identifier, None, error=outcome or self.error)
        return Updated(self.update.identifier, outcome, is_new=outcome.version != self._found)


async def apply_all(ports: Ports, caller: Caller, updates: Sequence[Update]) -> list[Updated]:
    """Change many profiles. Each change is whole or not at all, and one that fails does not stand in the way of the
    others; to send the same again changes nothing.

    Args:
        ports: the node's ports.
        caller: the app's backend.
        updates: at most 1,000.

    Returns:
        What became of each, in their order.

    Raises:
        RequestInvalid: there are too many.
        RateLimited: the backend calls too often.
    """
    if len(updates) > limits.PROFILE_UPDATES_MAX:
        text = f"One call changes at most {limits.PROFILE_UPDATES_MAX} profiles"
        raise RequestInvalid(text, details={"field": "items", "max": limits.PROFILE_UPDATES_MAX})
    await rate_limits.check(ports, *rate_limits.for_backend(caller, max(1, len(updates))))
    now = ports.clock.now()
    results: list[Updated] = []
    for start in range(0, len(updates), limits.PROFILE_UPDATES_BATCH):
        batch = [_Work(caller, update) for update in updates[start : start + limits.PROFILE_UPDATES_BATCH]]
        for work in batch:
            await work.prepare(ports, now)
        ready = [work for work in batch if work.error is None]
        tell = partial(_publish, ports, ready)
        done = iter(await ports.profiles.update_many([(work.jid, work.decide) for work in ready], BACKEND, tell))
        results += [work.result(None if work.error is not None else next(done)) for work in batch]
    return results


def _publish(ports: Ports, ready: Sequence[_Work], place: int, stored: Profile) -> None:
    if ready[place].result(stored).is_new:
        ports.engine.prepare_profile(stored)()


async def apply_one(ports: Ports, caller: Caller, update: Update) -> Profile:
    """Change one profile.

    Raises:
        AccountNotFound: there is no such user.
        ProfileConflict, ProfileInvalid: see `profiles.set_profile`; nothing is changed.
        RateLimited: the backend calls too often.
    """
    (done,) = await apply_all(ports, caller, (update,))
    if done.profile is None:
        raise done.error or AccountNotFound()
    return done.profile
