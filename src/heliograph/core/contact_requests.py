"""Requests to become a contact, as the one who is asked answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import contacts
from heliograph.core.apps import ContactPolicy
from heliograph.core.contacts import Friend, FriendState, Pair
from heliograph.errors import ContactRequestNotFound

if TYPE_CHECKING:
    from heliograph.core.ports import Ports


async def accept(ports: Ports, owner: str, identifier: str) -> Friend:
    """Make a contact of somebody who has asked.

    Raises:
        ContactInvalid: it is the user.
        ContactRequestNotFound: nobody of that name has asked, or has taken it back.
        ContactLimit: one of the two rosters is full.
    """
    jid = contacts.jid_of(owner, identifier)
    await contacts.change(ports, owner, jid, lambda pair: contacts.befriend(_asked(pair), ContactPolicy.REQUEST))
    return await contacts.friend(ports, owner, jid)


async def deny(ports: Ports, owner: str, identifier: str) -> None:
    """Decline the request of somebody who has asked; they may ask again, unless they are blocked.

    Raises:
        ContactInvalid: it is the user.
        ContactRequestNotFound: nobody of that name has asked, or has taken it back.
    """
    jid = contacts.jid_of(owner, identifier)
    await contacts.change(ports, owner, jid, lambda pair: contacts.part(_asked(pair)))


def _asked(pair: Pair) -> Pair:
    if pair.item is None or contacts.friend_state(pair.item) is not FriendState.RECEIVED:
        raise ContactRequestNotFound
    return pair
