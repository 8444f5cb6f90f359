"""Register, block, delete."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import accounts, sessions
from heliograph.core.sessions import Device
from heliograph.server import auth, bodies
from heliograph.server.endpoints import Call, NoBody, UserCall, by_key, by_secret_key, by_token


async def register(call: Call[wire.RegisterRequest]) -> wire.RegisterData:
    """`POST /register`: a new user, or a further device of one. An identity assertion comes in `Authorization`."""
    body = call.body
    asked = accounts.RegisterRequest(
        identifier=body.user_identifier,
        force=body.force_register,
        replace_session=body.replace_session,
        metadata=None if body.register_meta_data is None else accounts.check_metadata(body.register_meta_data),
        device=Device(body.device.device, body.device.browser, body.device.os, call.address),
        assertion=auth.assertion(call.request),
    )
    registered = await accounts.register(call.ports, call.caller, asked)
    return bodies.registered(call.services, call.caller, registered)


async def block(call: Call[NoBody]) -> wire.AccountBody:
    """`POST /users/{identifier}/block`: end all sessions of a user, and let none begin."""
    return bodies.account(await accounts.set_blocked(call.ports, call.caller, call.segment("identifier"), True))


async def unblock(call: Call[NoBody]) -> wire.AccountBody:
    """`POST /users/{identifier}/unblock`: let a user register and sign in again."""
    return bodies.account(await accounts.set_blocked(call.ports, call.caller, call.segment("identifier"), False))


async def delete(call: Call[NoBody]) -> None:
    """`DELETE /users/{identifier}`: delete a user with all that belongs to it."""
    await accounts.delete(call.ports, await accounts.lookup(call.ports, call.caller, call.segment("identifier")))


async def delete_own(call: UserCall[NoBody]) -> None:
    """`DELETE /account`: delete the user who asks; a session that was linked by QR code may not."""
    sessions.require_own_sign_in(call.identity.session)
    await accounts.delete(call.ports, call.identity.account)


ENDPOINTS = (
    by_key("POST", "/register", wire.RegisterRequest, register),
    by_secret_key("POST", "/users/{identifier}/block", NoBody, block),
    by_secret_key("POST", "/users/{identifier}/unblock", NoBody, unblock),
    by_secret_key("DELETE", "/users/{identifier}", NoBody, delete),
    by_token("DELETE", "/account", NoBody, delete_own),
)
