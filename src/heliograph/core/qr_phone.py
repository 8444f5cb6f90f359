"""The phone's side of QR sign-in: scan a code, see what it is about, approve or deny."""

from __future__ import annotations

import hmac
import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from heliograph.core import limits, qr_codes, qr_login, rate_limits, sessions
from heliograph.core.apps import Proximity, Verification
from heliograph.core.qr_browser import belongs_to, topic
from heliograph.core.qr_codes import ShownCode
from heliograph.core.qr_login import Approval, Event, QrLink, State
from heliograph.core.sessions import Device
from heliograph.errors import AccessDenied, ExpiredToken, KeyMismatch, RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.ports import Ports
    from heliograph.core.tokens import Identity

_CHECK_CODE_CHANCE_BYTES = 8

AddressKind = Literal["loopback", "private", "public", "unknown"]


class Consent(NamedTuple):
    """What the consent screen tells of the device that asks.

    Attributes:
        link_id: the link, for the answer.
        device: what the browser says of itself, and its address.
        ip_hint: what kind of address that is: `loopback`, `private`, `public`, or `unknown`.
        requested_ago_s: how long ago the browser asked.
        expires_in_s: how long the phone may think.
        is_same_network: whether both come from one public address; `None` where the app does not care.
        is_new_device: whether no live session of the user names such a browser on such a system.
        needs_key_hash: whether the approval has to carry the thumbprint that the QR code holds.
    """

    link_id: str
    device: Device
    ip_hint: AddressKind
    requested_ago_s: int
    expires_in_s: int
    is_same_network: bool | None
    is_new_device: bool
    needs_key_hash: bool


async def scan(ports: Ports, identity: Identity, shown: str, address: str) -> Consent:
    """Bind the link of a code to this phone's session; from then on the code is dead for everybody.

    Args:
        ports: the node's ports.
        identity: the phone's user and session.
        shown: the code of the QR text, or the typed one.
        address: the phone's network address.

    Raises:
        StepUpRequired: the session was itself linked by QR code.
        RateLimited: too many scans, or too many wrong codes.
        ExpiredToken: there is no such code in this app and environment, or its time is over.
        AlreadyUsed: somebody has scanned it before.
        AccessDenied: the link has ended so, or the app wants both to be on one network.
    """
    sessions.require_own_sign_in(identity.session)
    await rate_limits.check(ports, *rate_limits.for_qr_scan(identity.session.id))
    try:
        code = qr_codes.read(shown)
        if code.is_typed:
            await rate_limits.check(ports, *rate_limits.for_typed_code(identity.session.id, address))
        found = await ports.qr_links.lookup_code(code.hash)
        if found is None or not belongs_to(found, identity.caller):
            raise ExpiredToken("There is no such code")
        _check_proximity(found, identity, address)
        decide = partial(_scanned, code=code, identity=identity, now=ports.clock.now())
        link = await ports.qr_links.change(found.id, decide)
        if link is None:
            raise ExpiredToken
    except ExpiredToken:
        await rate_limits.check(ports, *rate_limits.for_wrong_qr_code(identity.session.id))
        raise
    ports.bus.publish(topic(link.id))
    return await _consent(ports, identity, link, address)


def _scanned(link: QrLink, code: ShownCode, identity: Identity, now: float) -> QrLink:
    if link.state is State.WAITING:
        known = next((known for known in link.codes if hmac.compare_digest(known.hash, code.hash)), None)
        if known is None or now >= known.expires_at:
            raise ExpiredToken
    return qr_login.step(
        link,
        Event.SCAN,
        now,
        session_id=identity.session.id,
        jid=identity.account.jid,
        needs_key_hash=not code.is_typed,
    )


async def _consent(ports: Ports, identity: Identity, link: QrLink, address: str) -> Consent:
    now = ports.clock.now()
    known = {(session.device.browser, session.device.os) for session in await ports.sessions.live(identity.account.id)}
    is_of_interest = identity.caller.app.policy.proximity is not Proximity.OFF
    return Consent(
        link_id=link.id,
        device=link.device,
        ip_hint=_kind_of_address(link.device.ip),
        requested_ago_s=max(0, int(now - link.created_at)),
        expires_in_s=max(0, int(link.expires_at - now)),
        is_same_network=_is_same_network(link, address) if is_of_interest else None,
        is_new_device=(link.device.browser, link.device.os) not in known,
        needs_key_hash=link.needs_key_hash,
    )


def _kind_of_address(address: str) -> AddressKind:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.is_loopback:
        return "loopback"
    return "private" if parsed.is_private else "public"


def _is_same_network(link: QrLink, address: str) -> bool:
    return bool(address) and rate_limits.network(link.device.ip) == rate_limits.network(address)


def _check_proximity(link: QrLink, identity: Identity, address: str) -> None:
    if identity.caller.app.policy.proximity is Proximity.REQUIRE and not _is_same_network(link, address):
        raise AccessDenied("The two devices have to be on the same network", details={"reason": "proximity"})


async def approve(
    ports: Ports,
    identity: Identity,
    link_id: str,
    key_hash: str | None,
    address: str,
    *,
    force: bool = True,
    replace_session: str | None = None,
) -> str:
    """Let the browser in; it is signed in once it has given the check code, which comes back (`""` where none is asked
    for).

    Args:
        ports: the node's ports.
        identity: the phone's user and session, which has scanned the code.
        link_id: which link.
        key_hash: the thumbprint that the phone itself has read out of the QR code.
        address: the phone's network address.
        force: at the session cap, end the least recently active session rather than refuse.
        replace_session: the id of a session that makes room.

    Raises:
        StepUpRequired, AccessDenied, ExpiredToken, AlreadyUsed: this session may not, or not any more.
        RequestInvalid: the thumbprint is missing.
        KeyMismatch: it is another one than that of the browser's key; the link has failed.
        SessionLimit, SessionNotFound: see `sessions.admit`; the phone may choose, and approve again.
    """
    sessions.require_own_sign_in(identity.session)
    found = await _bound(ports, identity, link_id)
    _check_proximity(found, identity, address)
    if found.needs_key_hash and key_hash is None:
        raise RequestInvalid("The field keyHash is missing", details={"field": "keyHash"})
    policy = identity.caller.app.policy
    sessions.admit(await ports.sessions.live(identity.account.id), policy.max_sessions, force, replace_session)
    check_code = ""
    if policy.verification is Verification.CODE:
        check_code = qr_codes.check_code(ports.ids.random(_CHECK_CODE_CHANCE_BYTES))
    approval = Approval(check_code, limits.QR_CHECK_TRIES, force, replace_session)
    decide = partial(_approved, identity=identity, key_hash=key_hash, approval=approval, now=ports.clock.now())
    link = await ports.qr_links.change(link_id, decide)
    ports.bus.publish(topic(link_id))
    if link is None:
        raise ExpiredToken
    if link.state is State.FAILED:
        raise KeyMismatch
    return check_code


def _approved(link: QrLink, identity: Identity, key_hash: str | None, approval: Approval, now: float) -> QrLink:
    _check_bound(link, identity)
    approved = qr_login.step(link, Event.APPROVE, now, approval=approval)
    if (link.needs_key_hash or key_hash is not None) and not _is_equal(link.key_hash, key_hash or ""):
        return qr_login.fail(link, KeyMismatch, now)
    return approved


def _is_equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))


async def deny(ports: Ports, identity: Identity, link_id: str) -> None:
    """Do not let the browser in.

    Raises:
        AccessDenied, ExpiredToken, AlreadyUsed: this session may not, or not any more.
    """
    await _bound(ports, identity, link_id)
    now = ports.clock.now()

    def denied(link: QrLink) -> QrLink:
        _check_bound(link, identity)
        return qr_login.step(link, Event.DENY, now)

    if await ports.qr_links.change(link_id, denied) is None:
        raise ExpiredToken
    ports.bus.publish(topic(link_id))


async def _bound(ports: Ports, identity: Identity, link_id: str) -> QrLink:
    """The link that this session has scanned."""
    await rate_limits.check(ports, *rate_limits.for_qr_scan(identity.session.id))
    link = await ports.qr_links.lookup(link_id)
    if link is None or not belongs_to(link, identity.caller):
        raise ExpiredToken("There is no such link")
    _check_bound(link, identity)
    if link.is_over:
        raise qr_login.failure_of(link)
    return link


def _check_bound(link: QrLink, identity: Identity) -> None:
    if link.session_id != identity.session.id:
        raise AccessDenied("Another session has scanned this code, or none has")
