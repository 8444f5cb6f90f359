"""Contacts, invitations, block lists and last seen."""

from __future__ import annotations

from heliograph.errors.base import FORBIDDEN, MISSING, WAIT, Row, StanzaCondition, UsageError


class ContactInvalid(UsageError):
    """A contact cannot be made so, such as with oneself."""

    row = Row("contact_invalid", 400, "This contact cannot be made")


class ContactLimit(UsageError):
    """The contact list holds as many entries as it may."""

    row = Row("contact_limit", 403, "The contact list holds as many entries as it may", WAIT)


class ContactRequestNotFound(UsageError):
    """Nobody of that name waits to become a contact."""

    row = Row("contact_request_not_found", 404, "There is no such request", MISSING)


class InvitationInvalid(UsageError):
    """An invitation is unknown, over, revoked or used up; which of these is not told."""

    row = Row("invitation_invalid", 404, "The invitation is not valid, or not any more", MISSING)


class InvitationLimit(UsageError):
    """The user has as many invitations open as may be."""

    row = Row("invitation_limit", 403, "As many invitations are open as may be", WAIT)


class BlockInvalid(UsageError):
    """Nobody blocks oneself."""

    row = Row("block_invalid", 400, "This user cannot be blocked", StanzaCondition("cancel", "not-allowed"))


class BlockLimit(UsageError):
    """The block list holds as many entries as it may."""

    row = Row("block_limit", 403, "The block list holds as many entries as it may", WAIT)


class LastSeenHidden(UsageError):
    """When a user was last there is told to those alone who may see the user's presence."""

    row = Row("last_seen_hidden", 403, "Only a contact may see when this user was last there", FORBIDDEN)
