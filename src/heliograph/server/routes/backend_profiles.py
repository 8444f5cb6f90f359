"""The profiles of an app's users, for its own backend: what it changes reaches clients as a user's own change does."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import accounts, limits, profile_history, profile_updates, profiles
from heliograph.core.profile_updates import Update
from heliograph.errors import ProfileInvalid
from heliograph.server import bodies, profile_bodies
from heliograph.server.endpoints import Call, NoBody, by_secret_key


async def one(call: Call[NoBody]) -> wire.OwnProfileBody:
    """`GET /users/{identifier}/profile`: a user's profile, complete."""
    account = await accounts.lookup(call.ports, call.caller, call.segment("identifier"))
    return bodies.own_profile(call.services, await profiles.own(call.ports, account.jid))


async def change(call: Call[wire.ProfileRequest]) -> wire.OwnProfileBody:
    """`PATCH /users/{identifier}/profile`: change a user's profile, and bring it to everyone who may see it."""
    update = Update(call.segment("identifier"), profile_bodies.change(call.body), call.body.version)
    try:
        stored = await profile_updates.apply_one(call.ports, call.caller, update)
    except ProfileInvalid as error:
        raise bodies.profile_invalid(error) from error
    return bodies.own_profile(call.services, stored)


async def change_many(call: Call[wire.ProfileUpdatesRequest]) -> wire.UpdatesData:
    """`POST /profile-updates`: change up to 1,000 profiles; each has a result of its own, and the same again changes
    nothing.
    """
    updates = [profile_bodies.update(item) for item in call.body.items]
    done = await profile_updates.apply_all(call.ports, call.caller, updates)
    return wire.UpdatesData(results=tuple(profile_bodies.updated(each) for each in done))


async def history(call: Call[NoBody]) -> wire.ProfileHistoryData:
    """`GET /users/{identifier}/profile/history`: who changed which field of a profile, and when."""
    found = await profile_history.of(call.ports, call.caller, call.segment("identifier"))
    return wire.ProfileHistoryData(changes=tuple(profile_bodies.edit(each) for each in found))


ENDPOINTS = (
    by_secret_key("GET", "/users/{identifier}/profile", NoBody, one),
    by_secret_key("PATCH", "/users/{identifier}/profile", wire.ProfileRequest, change),
    by_secret_key("GET", "/users/{identifier}/profile/history", NoBody, history),
    by_secret_key(
        "POST", "/profile-updates", wire.ProfileUpdatesRequest, change_many, limits.PROFILE_UPDATES_MAX_BYTES
    ),
)
