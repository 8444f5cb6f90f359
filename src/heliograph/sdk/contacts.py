"""Contacts."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType

from heliograph import wire
from heliograph.sdk.api import segment
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Calls


class ContactCalls(Calls):
    """The calls around the contact list."""

    async def get_friends_list(self) -> Response[wire.ContactsData]:
        """The contacts, those whom the user has asked and those who have asked the user."""
        return await self._on.tokens.call("GET", "/contacts", wire.ContactsData)

    async def add_contact(self, user_identifier: str) -> Response[wire.ContactBody]:
        """Make a contact, or ask for one where the app's policy wants it; accept one who has asked.

        Raises:
            AccountNotFound: there is no such user.
            ContactInvalid: it is the user's own identifier.
            ContactLimit: one of the two contact lists is full.
        """
        return await self._on.tokens.call("PUT", f"/contacts/{segment(user_identifier)}", wire.ContactBody)

    async def remove_contact(self, user_identifier: str) -> Response[None]:
        """Remove a contact on both sides, take back a request, or refuse one.

        Raises:
            AccountNotFound: there is no such user.
        """
        return await self._on.tokens.call("DELETE", f"/contacts/{segment(user_identifier)}", NoneType)

    async def get_contact_requests(self) -> Response[wire.RequestsData]:
        """Those who have asked the user, and those whom the user has asked."""
        return await self._on.tokens.call("GET", "/contact-requests", wire.RequestsData)

    async def accept_contact(self, user_identifier: str) -> Response[wire.ContactBody]:
        """Make a contact of somebody who has asked.

        Raises:
            ContactRequestNotFound: nobody of that name has asked, or has taken it back.
            ContactLimit: one of the two contact lists is full.
        """
        path = f"/contact-requests/{segment(user_identifier)}/accept"
        return await self._on.tokens.call("POST", path, wire.ContactBody)

    async def deny_contact(self, user_identifier: str) -> Response[None]:
        """Decline the request of somebody who has asked.

        Raises:
            ContactRequestNotFound: nobody of that name has asked, or has taken it back.
        """
        return await self._on.tokens.call("POST", f"/contact-requests/{segment(user_identifier)}/deny", NoneType)

    async def sync_contacts(self, user_identifiers: Iterable[str]) -> Response[wire.ImportData]:
        """Make contacts of many users at once, or ask them, as the app's policy says.

        Args:
            user_identifiers: at most 5,000.

        Returns:
            What became of each; one that fails does not stand in the way of the others.

        Raises:
            RequestInvalid: there are too many.
            RateLimited: too many were imported of late.
        """
        body = wire.ImportRequest(identifiers=tuple(user_identifiers))
        return await self._on.tokens.call("POST", "/contact-imports", wire.ImportData, body)

    async def get_last_seen(self, user: str) -> Response[wire.LastSeenBody]:
        """When a contact was last there, on any device.

        Args:
            user: an identifier or a bare JID.

        Raises:
            AccountNotFound: there is no such user, or one of the two blocks the other.
            LastSeenHidden: the user is no contact.
        """
        return await self._on.tokens.call("GET", f"/last-seen/{segment(user)}", wire.LastSeenBody)
