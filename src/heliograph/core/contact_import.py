"""Making many contacts at once: what an app does with the users that it knows of (`syncContacts`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import blocking, contacts, limits, rate_limits
from heliograph.core.contacts import Decision, FriendState, RosterItem
from heliograph.core.rate_limits import Draw, Rate
from heliograph.core.user_jids import domain_of
from heliograph.errors import (
    AccountNotFound,
    ContactInvalid,
    ContactLimit,
    HeliographError,
    IdentifierInvalid,
    RequestInvalid,
)

if TYPE_CHECKING:
    from heliograph.core.apps import ContactPolicy
    from heliograph.core.ports import Ports

IDENTIFIERS_PER_ACCOUNT = Rate(per_minute=10_000 / 1440, burst=10_000)
"""Users that one user imports: 10,000 a day, so that nobody asks through all names that there may be."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one identifier: what the user is now, or why nothing."""

    identifier: str
    state: FriendState | None
    error: type[HeliographError] | None = None


class _Import:
    """One import under way.

    Attributes:
        done: what became of whom, by bare JID.
    """

    def __init__(self, owner: str, policy: ContactPolicy) -> None:
        self.decision = Decision(owner, lambda pair: contacts.befriend(pair, policy))
        self.done: dict[str, FriendState | type[HeliographError]] = {}

    def decide(
        self, contact: str, item: RosterItem | None, mirror: RosterItem | None, item_count: int, mirror_count: int
    ) -> tuple[RosterItem | None, RosterItem | None]:
        """One pair; a full roster leaves that pair alone, and the others go on."""
        try:
            after, mirror_after = self.decision(contact, item, mirror, item_count, mirror_count)
        except ContactLimit:
            self.done[contact] = ContactLimit
            return item, mirror
        state = None if after is None else contacts.friend_state(after)
        self.done[contact] = AccountNotFound if state is None else state
        return after, mirror_after


async def import_all(ports: Ports, owner: str, policy: ContactPolicy, identifiers: Sequence[str]) -> list[Imported]:
    """Make contacts of all who are named, or ask them, as the policy says; see `contacts.befriend`.

    One that cannot be made a contact does not stand in the way of the others. The same import again changes nothing.

    Args:
        ports: the node's ports.
        owner: the bare JID of the user.
        policy: the app's.
        identifiers: at most 5,000; one that comes twice counts once.

    Returns:
        What became of each, in the order in which they were named.

    Raises:
        RequestInvalid: there are too many.
        RateLimited: the user has imported too many of late.
    """
    named = list(dict.fromkeys(identifiers))
    if len(named) > limits.CONTACT_IMPORT_MAX:
        text = f"An import names at most {limits.CONTACT_IMPORT_MAX} users"
        raise RequestInvalid(text, details={"field": "identifiers", "max": limits.CONTACT_IMPORT_MAX})
    if named:
        rate = rate_limits.weighted(IDENTIFIERS_PER_ACCOUNT, len(named))
        await rate_limits.check(ports, Draw(f"contact-import:account:{owner}", rate))
    domain = domain_of(owner)
    refused = await _refused(ports, owner, {name: f"{name}@{domain}" for name in named})
    work = _Import(owner, policy)
    wanted = [f"{name}@{domain}" for name in named if name not in refused]
    for start in range(0, len(wanted), limits.CONTACT_IMPORT_BATCH):
        batch = wanted[start : start + limits.CONTACT_IMPORT_BATCH]
        work.decision.tell(ports, await ports.contacts.change_many(owner, batch, work.decide))
    return [_result(name, refused.get(name) or work.done.get(f"{name}@{domain}", AccountNotFound)) for name in named]


async def _refused(ports: Ports, owner: str, jids: dict[str, str]) -> dict[str, type[HeliographError]]:
    """Those who are refused without a look into the rosters. Who blocks the user is not there for the user."""
    apart = await blocking.apart_from(ports, owner)
    found: dict[str, type[HeliographError]] = {}
    for name, jid in jids.items():
        if re.fullmatch(limits.IDENTIFIER_FORM, name) is None:
            found[name] = IdentifierInvalid
        elif jid == owner or apart.is_blocked(jid):
            found[name] = ContactInvalid
        elif apart.covers(jid):
            found[name] = AccountNotFound
    return found


def _result(name: str, outcome: FriendState | type[HeliographError]) -> Imported:
    if isinstance(outcome, FriendState):
        return Imported(name, outcome)
    return Imported(name, None, outcome)
