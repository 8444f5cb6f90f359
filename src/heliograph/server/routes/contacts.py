"""The user's contacts: list, add, remove, answer requests, import, find by telephone number."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import contact_import, contact_requests, contacts, limits, phone_book
from heliograph.core.apps import Caller, ContactPolicy
from heliograph.server import bodies, contact_bodies
from heliograph.server.endpoints import NoBody, UserCall, by_token


async def listed(call: UserCall[NoBody]) -> wire.ContactsData:
    """`GET /contacts`: friends, those whom the user has asked, and those who have asked the user."""
    friends = await contacts.friends(call.ports, call.jid)
    return wire.ContactsData(contacts=tuple(bodies.contact(friend) for friend in friends))


async def add(call: UserCall[NoBody]) -> wire.ContactBody:
    """`PUT /contacts/{identifier}`: make a contact, or ask for one, or accept one who has asked; as the policy says."""
    return bodies.contact(await contacts.add(call.ports, call.jid, _policy(call.caller), call.segment("identifier")))


async def remove(call: UserCall[NoBody]) -> None:
    """`DELETE /contacts/{identifier}`: remove a contact on both sides, take back a request, or refuse one."""
    await contacts.remove(call.ports, call.jid, call.segment("identifier"))


async def requests(call: UserCall[NoBody]) -> wire.RequestsData:
    """`GET /contact-requests`: those who have asked the user, and those whom the user has asked."""
    return contact_bodies.requests(await contacts.friends(call.ports, call.jid))


async def accept(call: UserCall[NoBody]) -> wire.ContactBody:
    """`POST /contact-requests/{identifier}/accept`: make a contact of somebody who has asked."""
    return bodies.contact(await contact_requests.accept(call.ports, call.jid, call.segment("identifier")))


async def deny(call: UserCall[NoBody]) -> None:
    """`POST /contact-requests/{identifier}/deny`: decline the request of somebody who has asked."""
    await contact_requests.deny(call.ports, call.jid, call.segment("identifier"))


async def import_all(call: UserCall[wire.ImportRequest]) -> wire.ImportData:
    """`POST /contact-imports`: make contacts of up to 5,000 users at once; each has a result of its own."""
    done = await contact_import.import_all(call.ports, call.jid, _policy(call.caller), call.body.identifiers)
    return wire.ImportData(results=tuple(contact_bodies.imported(each) for each in done))


async def discoverability(call: UserCall[NoBody]) -> wire.DiscoverabilityBody:
    """`GET /discoverability`: whether the user can be found by telephone number."""
    return contact_bodies.discoverability(await phone_book.discoverability(call.ports, call.jid))


async def set_discoverability(call: UserCall[wire.DiscoverabilityRequest]) -> wire.DiscoverabilityBody:
    """`PUT /discoverability`: agree to be found by telephone number, or not any more."""
    wanted = call.body.by_phone
    return contact_bodies.discoverability(
        await phone_book.set_discoverability(call.ports, call.jid, is_findable=wanted)
    )


async def match(call: UserCall[wire.PhoneBookRequest]) -> wire.PhoneBookData:
    """`POST /phone-book-matches`: who of up to 5,000 hashed telephone numbers is a user that can be found."""
    found = await phone_book.match(call.ports, call.jid, call.body.hashes)
    return wire.PhoneBookData(matches=tuple(contact_bodies.found_user(each) for each in found))


def _policy(caller: Caller) -> ContactPolicy:
    return caller.app.policy.contacts(caller.environment)


ENDPOINTS = (
    by_token("GET", "/contacts", NoBody, listed),
    by_token("PUT", "/contacts/{identifier}", NoBody, add),
    by_token("DELETE", "/contacts/{identifier}", NoBody, remove),
    by_token("GET", "/contact-requests", NoBody, requests),
    by_token("POST", "/contact-requests/{identifier}/accept", NoBody, accept),
    by_token("POST", "/contact-requests/{identifier}/deny", NoBody, deny),
    by_token("POST", "/contact-imports", wire.ImportRequest, import_all, limits.CONTACT_IMPORT_MAX_BYTES),
    by_token("GET", "/discoverability", NoBody, discoverability),
    by_token("PUT", "/discoverability", wire.DiscoverabilityRequest, set_discoverability),
    by_token("POST", "/phone-book-matches", wire.PhoneBookRequest, match, limits.CONTACT_IMPORT_MAX_BYTES),
)
