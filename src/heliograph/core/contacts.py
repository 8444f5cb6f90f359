"""Contacts and the roster: one list, seen as friends by the SDKs and as roster items by XMPP (RFC 6121, section 2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RosterItem:
    """One entry of one user's roster (RFC 6121, section 2.1.2).

    Attributes:
        jid: the contact's bare JID.
        subscription: `none`, `to`, `from` or `both`.
        is_pending_out: the user asked for the contact's presence and waits (`ask='subscribe'`).
        is_pending_in: the contact asked for the user's presence and waits; such an item alone is never shown in
            the roster.
        is_approved: the user has pre-approved the contact (RFC 6121, section 3.4).
        is_listed: whether the item stands in the roster that the user sees.
    """

    jid: str
    subscription: str = "none"
    name: str = ""
    groups: tuple[str, ...] = ()
    is_pending_out: bool = False
    is_pending_in: bool = False
    is_approved: bool = False
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class RosterChange:
    """One row that an atomic change wrote: whose roster, and the item after the change (`None`: removed)."""

    owner: str
    contact: str
    item: RosterItem | None
