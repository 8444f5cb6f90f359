"""Records of `core` around contacts as bodies of `wire`."""

from __future__ import annotations

from typing import Any

from heliograph import wire
from heliograph.core.contact_import import Imported
from heliograph.core.contacts import Friend, FriendState
from heliograph.core.invitations import Invitation, NewInvitation, Preview
from heliograph.core.phone_book import Discoverability, Match
from heliograph.core.timestamps import iso
from heliograph.server import bodies


def requests(friends: list[Friend]) -> wire.RequestsData:
    """Those of the friends list who wait for an answer, or for whose answer the user waits."""
    return wire.RequestsData(
        received=tuple(bodies.contact(each) for each in friends if each.state is FriendState.RECEIVED),
        sent=tuple(bodies.contact(each) for each in friends if each.state is FriendState.REQUESTED),
    )


def imported(result: Imported) -> wire.ImportedBody:
    """What became of one identifier."""
    if result.state is not None:
        return wire.ImportedBody(user_id=result.identifier, state=result.state.value)
    return wire.ImportedBody(
        user_id=result.identifier, state="failed", code=None if result.error is None else result.error.row.code
    )


def discoverability(found: Discoverability) -> wire.DiscoverabilityBody:
    """Whether a user can be found."""
    return wire.DiscoverabilityBody(by_phone=found.is_findable, has_number=found.has_number)


def found_user(match: Match) -> wire.FoundUserBody:
    """A user who was found by telephone number."""
    profile = bodies.profile(match.profile)
    return wire.FoundUserBody(hash=match.text, user_id=profile.user_id, user_jid=profile.user_jid, profile=profile)


def invitation(record: Invitation) -> wire.InvitationBody:
    """An open invitation."""
    return wire.InvitationBody(**_invitation(record))


def new_invitation(made: NewInvitation, start: str) -> wire.NewInvitationBody:
    """A new invitation, with its token behind what its address begins with."""
    return wire.NewInvitationBody(**_invitation(made.invitation), token=made.token, url=start + made.token)


def _invitation(record: Invitation) -> dict[str, Any]:
    return {
        "id": record.id,
        "created_at": iso(record.created_at),
        "expires_at": iso(record.expires_at),
        "max_uses": record.max_uses,
        "uses": record.uses,
    }


def inviter(seen: Preview) -> wire.InviterBody:
    """Who invites."""
    profile = bodies.profile(seen.profile)
    return wire.InviterBody(
        user_id=profile.user_id,
        user_jid=profile.user_jid,
        profile=profile,
        expires_at=iso(seen.invitation.expires_at),
    )
