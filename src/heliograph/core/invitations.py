"""Invitations: a link with a token that makes whoever follows it a contact of the user who gave it away.

Whoever holds the token may use it, so it is random, ends by itself, works a bounded number of times and can be revoked.
It is stored as its SHA-256, and shown once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from heliograph.core import blocking, contacts, limits, opaque, profiles, rate_limits
from heliograph.core.apps import ContactPolicy
from heliograph.core.contacts import Decision, Friend, RosterItem
from heliograph.core.rate_limits import Draw, Rate
from heliograph.core.user_jids import are_of_one_app
from heliograph.errors import ContactInvalid, InvitationInvalid, InvitationLimit, RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.ports import Ports
    from heliograph.core.profiles import Profile

CALLS_PER_ACCOUNT = Rate(per_minute=30, burst=60)
"""Invitations that one user makes, looks at and accepts."""

_PREFIX = "hgi_"
_FORM = re.compile(_PREFIX + opaque.SECRET_FORM)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation at rest. Times are seconds since the epoch.

    Attributes:
        owner: the bare JID of the user who invites.
        uses: how many have accepted it, of `max_uses`.
    """

    id: str
    owner: str
    created_at: float
    expires_at: float
    max_uses: int
    uses: int = 0


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """A new invitation with its token, which is shown this once."""

    invitation: Invitation
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Preview:
    """Who invites, as far as the invited user may see it."""

    invitation: Invitation
    profile: Profile


# --------------------------------------------------------------------------------------------------------------- rules


def check_terms(ttl_s: int, max_uses: int) -> None:
    """Raise `RequestInvalid` unless a life in seconds and a number of uses are within their bounds."""
    if not limits.INVITATION_MIN_TTL_S <= ttl_s <= limits.INVITATION_MAX_TTL_S:
        text = f"An invitation lives {limits.INVITATION_MIN_TTL_S} to {limits.INVITATION_MAX_TTL_S} seconds"
        raise RequestInvalid(text, details={"field": "expiresIn"})
    if not 1 <= max_uses <= limits.INVITATION_USES_MAX:
        text = f"An invitation works 1 to {limits.INVITATION_USES_MAX} times"
        raise RequestInvalid(text, details={"field": "maxUses"})


def is_open(invitation: Invitation, now: float) -> bool:
    """Whether it can still be accepted."""
    return now < invitation.expires_at and invitation.uses < invitation.max_uses


def use(invitation: Invitation, *, is_friend: bool, now: float) -> Invitation:
    """The invitation once it was accepted; who is a contact already uses nothing up, nor needs it to be open.

    Raises:
        InvitationInvalid: it is over or used up.
    """
    if is_friend:
        return invitation
    if not is_open(invitation, now):
        raise InvitationInvalid
    return replace(invitation, uses=invitation.uses + 1)


def token_hash(token: str) -> bytes:
    """What a token is stored as.

    Raises:
        InvitationInvalid: it cannot be one.
    """
    if _FORM.fullmatch(token) is None:
        raise InvitationInvalid
    return opaque.digest(token)


# ----------------------------------------------------------------------------------------------------------- use cases


async def create(ports: Ports, owner: str, ttl_s: int = limits.INVITATION_TTL_S, max_uses: int = 1) -> NewInvitation:
    """Make an invitation.

    Args:
        ports: the node's ports.
        owner: the bare JID of the user who invites.
        ttl_s: how long it lives, in seconds.
        max_uses: how many users may accept it.

    Raises:
        RequestInvalid: see `check_terms`.
        InvitationLimit: as many of the user's are open as may be.
        RateLimited: the user makes too many.
    """
    check_terms(ttl_s, max_uses)
    await _check_rate(ports, owner)
    if len(await listed(ports, owner)) >= limits.INVITATIONS_MAX:
        raise InvitationLimit
    now = ports.clock.now()
    name = opaque.encode("inv_", ports.ids.random(limits.INVITATION_ID_BYTES))
    token = opaque.encode(_PREFIX, ports.ids.random(limits.TOKEN_BYTES))
    invitation = Invitation(name, owner, now, now + ttl_s, max_uses)
    await ports.invitations.add(invitation, opaque.digest(token))
    return NewInvitation(invitation, token)


async def listed(ports: Ports, owner: str) -> list[Invitation]:
    """The user's open invitations, oldest first."""
    now = ports.clock.now()
    return [each for each in await ports.invitations.of(owner) if is_open(each, now)]


async def revoke(ports: Ports, owner: str, invitation_id: str) -> None:
    """End an invitation; contacts that it has made stay.

    Raises:
        InvitationInvalid: the user has none of that id.
    """
    if not await ports.invitations.delete(owner, invitation_id):
        raise InvitationInvalid


async def preview(ports: Ports, viewer: str, token: str) -> Preview:
    """Who invites, before the viewer accepts.

    Raises:
        InvitationInvalid: the token is unknown, of another app, over or used up, or one of the two blocks the other.
        RateLimited: the viewer asks too often.
    """
    invitation = await _find(ports, viewer, token)
    profile = await ports.profiles.lookup(invitation.owner)
    if profile is None or not is_open(invitation, ports.clock.now()):
        raise InvitationInvalid
    item = await ports.contacts.lookup(invitation.owner, viewer)
    return Preview(invitation, profiles.redact(profile, profiles.viewer_of(item)))


async def accept(ports: Ports, user: str, token: str) -> Friend:
    """Become a contact of the one who invites, whatever the app's policy: both have said so.

    The use and the two rosters are written in one transaction, so no more become contacts than may.

    Raises:
        InvitationInvalid: as for `preview`.
        ContactInvalid: it is the user's own invitation.
        ContactLimit: one of the two rosters is full.
        RateLimited: the user asks too often.
    """
    found = await _find(ports, user, token)
    if found.owner == user:
        raise ContactInvalid("Nobody is a contact of their own")
    now = ports.clock.now()
    decision = Decision(user, lambda pair: contacts.befriend(pair, ContactPolicy.OPEN))

    def decide(
        invitation: Invitation, item: RosterItem | None, mirror: RosterItem | None, count: int, mirror_count: int
    ) -> tuple[Invitation, RosterItem | None, RosterItem | None]:
        is_friend = item is not None and contacts.friend_state(item) is contacts.FriendState.FRIEND
        used = use(invitation, is_friend=is_friend, now=now)
        return used, *decision(found.owner, item, mirror, count, mirror_count)

    decision.tell(ports, await ports.invitations.accept(token_hash(token), user, decide))
    return await contacts.friend(ports, user, found.owner)


async def _find(ports: Ports, user: str, token: str) -> Invitation:
    await _check_rate(ports, user)
    invitation = await ports.invitations.lookup(token_hash(token))
    if invitation is None or not are_of_one_app(invitation.owner, user):
        raise InvitationInvalid
    if await blocking.are_apart(ports, user, invitation.owner):
        raise InvitationInvalid
    return invitation


async def _check_rate(ports: Ports, user: str) -> None:
    await rate_limits.check(ports, Draw(f"invitations:account:{user}", CALLS_PER_ACCOUNT))
