"""The user's contacts."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import contacts
from heliograph.server import bodies
from heliograph.server.endpoints import NoBody, UserCall, by_token


async def listed(call: UserCall[NoBody]) -> wire.ContactsData:
    """`GET /contacts`: friends, those whom the user has asked, and those who have asked the user."""
    friends = await contacts.friends(call.ports, call.jid)
    return wire.ContactsData(contacts=tuple(bodies.contact(friend) for friend in friends))


async def add(call: UserCall[NoBody]) -> wire.ContactBody:
    """`PUT /contacts/{identifier}`: make a contact, or ask for one, or accept one who has asked; as the policy says."""
    caller = call.caller
    policy = caller.app.policy.contacts(caller.environment)
    return bodies.contact(await contacts.add(call.ports, call.jid, policy, call.segment("identifier")))


async def remove(call: UserCall[NoBody]) -> None:
    """`DELETE /contacts/{identifier}`: remove a contact on both sides, take back a request, or refuse one."""
    await contacts.remove(call.ports, call.jid, call.segment("identifier"))


ENDPOINTS = (
    by_token("GET", "/contacts", NoBody, listed),
    by_token("PUT", "/contacts/{identifier}", NoBody, add),
    by_token("DELETE", "/contacts/{identifier}", NoBody, remove),
)
