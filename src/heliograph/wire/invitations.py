"""Invitations, imports of contacts, and finding users by telephone number."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from heliograph.core import limits
from heliograph.wire.contacts import ContactBody, FriendState
from heliograph.wire.envelope import Body, Request, Secretive
from heliograph.wire.profiles import ProfileBody


class RequestsData(Body, frozen=True, kw_only=True):
    """Requests that wait: by others who have asked the user, and by the user."""

    received: tuple[ContactBody, ...]
    sent: tuple[ContactBody, ...]


# ----------------------------------------------------------------------------------------------------- many at once


class ImportRequest(Request, frozen=True, kw_only=True):
    """Make contacts of all these users, named by their identifiers."""

    identifiers: Annotated[tuple[str, ...], Meta(max_length=limits.CONTACT_IMPORT_MAX)]


class ImportedBody(Body, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one identifier of an import.

    Attributes:
        user_id: the identifier as it was sent.
        state: what the user is now, or `failed`.
        code: why it failed: `identifier_invalid`, `account_not_found`, `contact_invalid` or `contact_limit`.
    """

    user_id: str
    state: FriendState | Literal["failed"]
    code: str | None = None


class ImportData(Body, frozen=True, kw_only=True):
    """One result for each identifier, in the order in which they were named; one named twice is told of once."""

    results: tuple[ImportedBody, ...]


# ---------------------------------------------------------------------------------------------------------- phone book


class DiscoverabilityRequest(Request, frozen=True, kw_only=True):
    """Whether the user agrees to be found by the telephone number of the profile."""

    by_phone: bool


class DiscoverabilityBody(Body, frozen=True, kw_only=True):
    """Whether the user can be found.

    Attributes:
        by_phone: the user has agreed to be found by telephone number; by default, not.
        has_number: there is a number in the user's profile.
    """

    by_phone: bool
    has_number: bool


class PhoneBookRequest(Request, frozen=True, kw_only=True):
    """Who of a phone book is a user and has agreed to be found?

    Attributes:
        hashes: of each number the SHA-256, in base64url without padding, of `heliograph-phone-book:DOMAIN:NUMBER`: the
            JID domain of the client configuration, and the number in E.164 form with its `+`.
    """

    hashes: Annotated[tuple[str, ...], Meta(max_length=limits.CONTACT_IMPORT_MAX)]


class FoundUserBody(Body, frozen=True, kw_only=True):
    """A user who was found.

    Attributes:
        hash: by which of the hashes.
        profile: as the one who looks may see it.
    """

    hash: str
    user_id: str
    user_jid: str
    profile: ProfileBody


class PhoneBookData(Body, frozen=True, kw_only=True):
    """The users who were found. Nobody is made a contact by it."""

    matches: tuple[FoundUserBody, ...]


# --------------------------------------------------------------------------------------------------------- invitations


class NewInvitationRequest(Request, frozen=True, kw_only=True):
    """Make an invitation.

    Attributes:
        expires_in: its life in seconds, 60 to 2,592,000 (30 days).
        max_uses: how many users may accept it, 1 to 100.
    """

    expires_in: int = limits.INVITATION_TTL_S
    max_uses: int = 1


class InvitationTokenRequest(Secretive, Request, frozen=True, kw_only=True):
    """The token of an invitation: what follows `invite=` in its address."""

    token: str


class InvitationBody(Body, frozen=True, kw_only=True):
    """An open invitation. Times are ISO 8601 in UTC; `uses` have accepted it, of `max_uses`."""

    id: str
    created_at: str
    expires_at: str
    max_uses: int
    uses: int


class NewInvitationBody(Secretive, InvitationBody, frozen=True, kw_only=True):
    """A new invitation with its token and its address, which are shown this once."""

    token: str
    url: str


class InvitationsData(Body, frozen=True, kw_only=True):
    """The user's open invitations."""

    invitations: tuple[InvitationBody, ...]


class InviterBody(Body, frozen=True, kw_only=True):
    """Who invites, as the invited user may see it, and until when."""

    user_id: str
    user_jid: str
    profile: ProfileBody
    expires_at: str
