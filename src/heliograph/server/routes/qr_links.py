"""The phone's side of QR sign-in: scan, approve, deny."""

from __future__ import annotations

from typing import Any

import structlog

from heliograph import wire
from heliograph.core import qr_phone
from heliograph.server.endpoints import NoBody, UserCall, by_token
from heliograph.wire import qr as wire_qr

log = structlog.get_logger(__name__)


async def scan(call: UserCall[wire_qr.QrScanRequest]) -> wire_qr.QrScanData:
    """`POST /qr-links/scan`: bind the link of a code to this session, and say which device asks."""
    consent = await qr_phone.scan(call.ports, call.identity, call.body.code, call.address)
    _log("qr_link_scanned", call, consent.link_id)
    device = consent.device
    return wire_qr.QrScanData(
        link_id=consent.link_id,
        device=wire.DeviceBody(device=device.device, browser=device.browser, os=device.os),
        ip=device.ip,
        ip_hint=consent.ip_hint,
        requested_ago=consent.requested_ago_s,
        expires_in=consent.expires_in_s,
        same_network=consent.is_same_network,
        new_device=consent.is_new_device,
        needs_key_hash=consent.needs_key_hash,
    )


async def approve(call: UserCall[wire_qr.QrApproveRequest]) -> wire_qr.QrApproveData:
    """`POST /qr-links/{id}/approve`: let the browser in, once it has given the check code that comes back."""
    body, link_id = call.body, call.segment("id")
    check_code = await qr_phone.approve(
        call.ports,
        call.identity,
        link_id,
        body.key_hash,
        call.address,
        force=body.force_register,
        replace_session=body.replace_session,
    )
    _log("qr_link_approved", call, link_id)
    return wire_qr.QrApproveData(check_code=check_code or None)


async def deny(call: UserCall[NoBody]) -> None:
    """`POST /qr-links/{id}/deny`: do not let the browser in."""
    await qr_phone.deny(call.ports, call.identity, call.segment("id"))
    _log("qr_link_denied", call, call.segment("id"))


def _log(event: str, call: UserCall[Any], link_id: str) -> None:
    log.info(event, link_id=link_id, app_id=call.caller.app.id, session_id=call.identity.session.id)


ENDPOINTS = (
    by_token("POST", "/qr-links/scan", wire_qr.QrScanRequest, scan),
    by_token("POST", "/qr-links/{id}/approve", wire_qr.QrApproveRequest, approve),
    by_token("POST", "/qr-links/{id}/deny", NoBody, deny),
)
