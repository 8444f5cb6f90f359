"""Register, block, delete."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import accounts
from heliograph.core.accounts import Registered
from heliograph.core.apps import Environment
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
    return _register_data(call, await accounts.register(call.ports, call.caller, asked))


def _register_data(call: Call[wire.RegisterRequest], registered: Registered) -> wire.RegisterData:
    account, tokens = registered.account, registered.tokens
    return wire.RegisterData(
        username=account.identifier,
        password=registered.password,
        is_profile_updated=registered.is_profile_updated,
        is_sandbox=account.environment is Environment.SANDBOX,
        user_jid=account.jid,
        token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=tokens.expires_in,
        session_id=registered.session.id,
        is_existing=registered.is_existing,
        config=bodies.config(call.services, call.caller),
    )


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
    """`DELETE /account`: delete the user who asks."""
    await accounts.delete(call.ports, call.identity.account)


ENDPOINTS = (
    by_key("POST", "/register", wire.RegisterRequest, register),
    by_secret_key("POST", "/users/{identifier}/block", NoBody, block),
    by_secret_key("POST", "/users/{identifier}/unblock", NoBody, unblock),
    by_secret_key("DELETE", "/users/{identifier}", NoBody, delete),
    by_token("DELETE", "/account", NoBody, delete_own),
)
