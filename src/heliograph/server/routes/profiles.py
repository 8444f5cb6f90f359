"""The user's own profile, and those of others as the user may see them."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import profiles
from heliograph.core.profile_history import Editor
from heliograph.errors import ProfileInvalid
from heliograph.server import bodies, profile_bodies
from heliograph.server.endpoints import NoBody, UserCall, by_token


async def own(call: UserCall[NoBody]) -> wire.OwnProfileBody:
    """`GET /profile`: the user's own profile, complete."""
    return bodies.own_profile(call.services, await profiles.own(call.ports, call.jid))


async def change(call: UserCall[wire.ProfileRequest]) -> wire.OwnProfileBody:
    """`PATCH /profile`: change it, and bring it to everyone who may see it."""
    try:
        editor = Editor(session_id=call.identity.session.id)
        stored = await profiles.set_profile(
            call.ports, call.jid, profile_bodies.change(call.body), call.body.version, editor
        )
    except ProfileInvalid as error:
        raise bodies.profile_invalid(error) from error
    return bodies.own_profile(call.services, stored)


async def of(call: UserCall[NoBody]) -> wire.ProfileBody:
    """`GET /profiles/{user}`: the profile of a user, named by identifier or bare JID."""
    return bodies.profile(await profiles.get(call.ports, call.jid, call.named_jid("user")))


ENDPOINTS = (
    by_token("GET", "/profile", NoBody, own),
    by_token("PATCH", "/profile", wire.ProfileRequest, change),
    by_token("GET", "/profiles/{user}", NoBody, of),
)
