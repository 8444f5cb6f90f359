"""Invitations by link."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import invitations
from heliograph.server import bodies, contact_bodies
from heliograph.server.endpoints import NoBody, UserCall, by_token


async def create(call: UserCall[wire.NewInvitationRequest]) -> wire.NewInvitationBody:
    """`POST /contact-invitations`: make a link that makes whoever follows it a contact. It is shown once."""
    made = await invitations.create(call.ports, call.jid, call.body.expires_in, call.body.max_uses)
    start = call.caller.app.policy.invite_url or f"{call.services.public_url}/phone#invite="
    return contact_bodies.new_invitation(made, start)


async def listed(call: UserCall[NoBody]) -> wire.InvitationsData:
    """`GET /contact-invitations`: the user's open invitations."""
    found = await invitations.listed(call.ports, call.jid)
    return wire.InvitationsData(invitations=tuple(contact_bodies.invitation(each) for each in found))


async def revoke(call: UserCall[NoBody]) -> None:
    """`DELETE /contact-invitations/{id}`: end an invitation; the contacts that it has made stay."""
    await invitations.revoke(call.ports, call.jid, call.segment("id"))


async def preview(call: UserCall[wire.InvitationTokenRequest]) -> wire.InviterBody:
    """`POST /contact-invitations/preview`: who invites."""
    return contact_bodies.inviter(await invitations.preview(call.ports, call.jid, call.body.token))


async def accept(call: UserCall[wire.InvitationTokenRequest]) -> wire.ContactBody:
    """`POST /contact-invitations/accept`: become a contact of the one who invites, whatever the app's policy."""
    return bodies.contact(await invitations.accept(call.ports, call.jid, call.body.token))


ENDPOINTS = (
    by_token("POST", "/contact-invitations", wire.NewInvitationRequest, create),
    by_token("GET", "/contact-invitations", NoBody, listed),
    by_token("POST", "/contact-invitations/preview", wire.InvitationTokenRequest, preview),
    by_token("POST", "/contact-invitations/accept", wire.InvitationTokenRequest, accept),
    by_token("DELETE", "/contact-invitations/{id}", NoBody, revoke),
)
