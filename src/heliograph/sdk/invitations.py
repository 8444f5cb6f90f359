"""Invitations: links that make contacts."""

from __future__ import annotations

from types import NoneType

from heliograph import wire
from heliograph.sdk.api import segment
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Calls

_WEEK_S = 7 * 86400


class InvitationCalls(Calls):
    """The calls around invitations."""

    async def create_invitation(
        self, *, expires_in_s: int = _WEEK_S, max_uses: int = 1
    ) -> Response[wire.NewInvitationBody]:
        """Make a link that makes whoever follows it a contact. Its token and address are shown this once.

        Args:
            expires_in_s: its life in seconds, from a minute to 30 days.
            max_uses: how many users may accept it, 1 to 100.

        Raises:
            RequestInvalid: one of the two is out of its bounds.
            InvitationLimit: as many are open as may be.
        """
        body = wire.NewInvitationRequest(expires_in=expires_in_s, max_uses=max_uses)
        return await self._on.tokens.call("POST", "/contact-invitations", wire.NewInvitationBody, body)

    async def get_invitations(self) -> Response[wire.InvitationsData]:
        """The user's open invitations."""
        return await self._on.tokens.call("GET", "/contact-invitations", wire.InvitationsData)

    async def revoke_invitation(self, invitation_id: str) -> Response[None]:
        """End an invitation; the contacts that it has made stay.

        Raises:
            InvitationInvalid: the user has none of that id.
        """
        return await self._on.tokens.call("DELETE", f"/contact-invitations/{segment(invitation_id)}", NoneType)

    async def preview_invitation(self, invitation: str) -> Response[wire.InviterBody]:
        """Who invites.

        Args:
            invitation: its token or its whole address.

        Raises:
            InvitationInvalid: it is unknown, over, revoked or used up.
        """
        body = wire.InvitationTokenRequest(token=_token(invitation))
        return await self._on.tokens.call("POST", "/contact-invitations/preview", wire.InviterBody, body)

    async def accept_invitation(self, invitation: str) -> Response[wire.ContactBody]:
        """Become a contact of the one who invites, whatever the app's policy.

        Args:
            invitation: its token or its whole address.

        Raises:
            InvitationInvalid: it is unknown, over, revoked or used up.
            ContactInvalid: it is the user's own.
            ContactLimit: one of the two contact lists is full.
        """
        body = wire.InvitationTokenRequest(token=_token(invitation))
        return await self._on.tokens.call("POST", "/contact-invitations/accept", wire.ContactBody, body)


def _token(invitation: str) -> str:
    """The token of an address, which ends with it."""
    return invitation[invitation.rfind("hgi_") :] if "hgi_" in invitation else invitation
