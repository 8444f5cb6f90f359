"""Register, keep metadata, delete one's own account."""

from __future__ import annotations

from typing import Any

from heliograph import wire
from heliograph.core import account_changes, accounts, deletion, retries
from heliograph.core.accounts import RegisterRequest
from heliograph.core.metadata import check_metadata
from heliograph.core.sessions import Device
from heliograph.server import auth, bodies, user_bodies
from heliograph.server.endpoints import Call, NoBody, UserCall, by_key, by_token

KEY_HEADER = "Idempotency-Key"
"""Marks a registration, so that it can be repeated (draft-ietf-httpapi-idempotency-key-header)."""


async def register(call: Call[wire.RegisterRequest]) -> wire.RegisterData:
    """`POST /register`: a new user, or a further device of one; repeatable by `Idempotency-Key`. An identity assertion
    comes in `Authorization`.
    """
    asked = asked_for(call, call.body, auth.assertion(call.request))
    registered = await accounts.register(call.ports, call.caller, asked)
    return bodies.registered(call.services, call.caller, registered)


def asked_for(call: Call[Any], body: wire.RegisterRequest, assertion: str | None = None) -> RegisterRequest:
    """A registration as `core` takes it.

    Args:
        call: the call.
        body: what it asks for; of a call in bulk, one of its users.
        assertion: an identity assertion.

    Raises:
        MetadataInvalid, RequestInvalid: the metadata or the `Idempotency-Key` cannot be one.
    """
    key = call.request.headers.get(KEY_HEADER)
    asked = b"" if key is None else wire.encode(body)
    return RegisterRequest(
        identifier=body.user_identifier,
        force=body.force_register,
        replace_session=body.replace_session,
        metadata=None if body.register_meta_data is None else check_metadata(body.register_meta_data),
        device=Device(body.device.device, body.device.browser, body.device.os, call.address),
        assertion=assertion,
        retry=retries.retry_key(call.caller, key, body.user_identifier, asked, call.ports.clock.now()),
    )


async def delete_own(call: UserCall[wire.DeletionRequest]) -> wire.DeletionData:
    """`DELETE /account`: delete the user who asks; a session that was linked by QR code may not."""
    said = call.body
    return user_bodies.deletion(await deletion.delete_own(call.ports, call.identity, said.reason, said.feedback))


async def metadata(call: UserCall[NoBody]) -> wire.MetaDataBody:
    """`GET /metadata`: the user's own metadata."""
    return wire.MetaDataBody(meta_data=dict(await account_changes.get_metadata(call.ports, call.jid)))


async def replace_metadata(call: UserCall[wire.MetaDataRequest]) -> wire.MetaDataBody:
    """`PUT /metadata`: replace it."""
    stored = await account_changes.set_metadata(call.ports, call.jid, call.body.meta_data)
    return wire.MetaDataBody(meta_data=dict(stored))


async def patch_metadata(call: UserCall[wire.MetaDataPatch]) -> wire.MetaDataBody:
    """`PATCH /metadata`: change some entries; `null` removes one (RFC 7396)."""
    stored = await account_changes.merge_metadata(call.ports, call.jid, call.body.meta_data)
    return wire.MetaDataBody(meta_data=dict(stored))


ENDPOINTS = (
    by_key("POST", "/register", wire.RegisterRequest, register),
    by_token("DELETE", "/account", wire.DeletionRequest, delete_own, is_body_optional=True),
    by_token("GET", "/metadata", NoBody, metadata),
    by_token("PUT", "/metadata", wire.MetaDataRequest, replace_metadata),
    by_token("PATCH", "/metadata", wire.MetaDataPatch, patch_metadata),
)
