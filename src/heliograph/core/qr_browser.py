"""The browser's side of QR sign-in: show that it holds its key, get codes, give the check code, be signed in."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from heliograph.core import accounts, limits, opaque, profiles, qr_codes, qr_login, rate_limits, sessions
from heliograph.core.accounts import Registered, RegisterRequest
from heliograph.core.apps import Feature, require_feature
from heliograph.core.profiles import Profile, Viewer
from heliograph.core.qr_codes import PublicKey
from heliograph.core.qr_login import Code, CodeTaken, Event, QrLink, State
from heliograph.core.sessions import Device, EndReason, Via
from heliograph.core.user_jids import identifier_of
from heliograph.errors import (
    AccessDenied,
    AlreadyUsed,
    AuthorizationPending,
    CheckCodeMismatch,
    ExpiredToken,
    HeliographError,
    KeyMismatch,
    OriginForbidden,
    SessionNotFound,
    SlowDown,
    UsageError,
)

if TYPE_CHECKING:
    from heliograph.core.apps import App, Caller
    from heliograph.core.ports import Ports

_DRAWS_MAX = 8
_CODES_VALID = 2


class Challenge(NamedTuple):
    """A nonce, and the same sealed to the browser's key: who can tell it holds the key."""

    nonce: str
    jwe: str


class NewCodes(NamedTuple):
    """What a browser shows: the code of the QR text and the one for typing, and the link that has them."""

    link: QrLink
    code: str
    typed_code: str


class Opened(NamedTuple):
    """A new link, its first codes, and the secret with which another socket may take over."""

    codes: NewCodes
    resume_secret: str


def topic(link_id: str) -> str:
    """Where the bus tells of a link."""
    return f"qr:{link_id}"


def check_origin(app: App, origin: str | None) -> None:
    """See whether a page may ask. What is no browser sends no origin, and could send any: it passes.

    Raises:
        OriginForbidden: the app names its origins, and this is none of them.
    """
    if origin is not None and app.policy.origins and origin not in app.policy.origins:
        raise OriginForbidden


async def greet(
    ports: Ports, caller: Caller, origin: str | None, address: str, jwk: Mapping[str, Any]
) -> tuple[PublicKey, Challenge]:
    """Take a browser's key, and challenge it.

    Raises:
        FeatureDisabled: the app offers no QR sign-in.
        OriginForbidden: pages of that origin may not ask.
        RateLimited: too many links from this address or for this app.
        RequestInvalid: the key is none.
    """
    require_feature(caller.app, Feature.QR_SIGN_IN)
    check_origin(caller.app, origin)
    await rate_limits.check(ports, *rate_limits.for_qr_link(caller, address))
    key = qr_codes.public_key(jwk)
    nonce = qr_codes.code(ports.ids.random(limits.QR_CODE_BYTES))
    return key, Challenge(nonce, ports.sealer.seal(key.jwk, nonce.encode()))


def check_proof(challenge: Challenge, nonce: str) -> None:
    """See whether the browser could open the challenge.

    Raises:
        KeyMismatch: it could not.
    """
    if not hmac.compare_digest(challenge.nonce.encode(), nonce.encode("utf-8", "replace")):
        raise KeyMismatch("The browser does not hold its key")


async def open_link(ports: Ports, caller: Caller, key: PublicKey, device: Device, holder: str) -> Opened:
    """Make a link with its first codes, for a browser that holds its key."""
    now = ports.clock.now()
    secret = opaque.encode("", ports.ids.random(limits.TOKEN_BYTES))
    draft = QrLink(
        id=opaque.encode("lnk_", ports.ids.random(limits.QR_LINK_ID_BYTES)),
        app_id=caller.app.id,
        environment=caller.environment,
        public_key=key.jwk,
        key_hash=key.thumbprint,
        device=sessions.clip(device),
        resume_hash=opaque.digest(secret),
        holder=holder,
        created_at=now,
        refresh_at=now,
        expires_at=qr_login.deadline(State.WAITING, now),
    )
    for _ in range(_DRAWS_MAX):
        code, typed = _draw(ports)
        link = _with_codes(draft, Event.ROTATE, code, typed, now)
        try:
            await ports.qr_links.add(link)
        except CodeTaken:
            continue
        return Opened(NewCodes(link, code, typed), secret)
    raise SlowDown("There are too many codes at the moment", retry_after_s=limits.QR_REFRESH_S)


async def rotate(ports: Ports, link_id: str, holder: str, event: Event = Event.ROTATE) -> NewCodes:
    """Give a link its next codes; those before the last ones are dead from now on.

    Args:
        ports: the node's ports.
        link_id: which link.
        holder: the socket that shows them.
        event: `ROTATE` when they are due, `CONTINUE` when a person clicked after the pause.

    Raises:
        SlowDown: nothing is due, or a person has to click first.
        HeliographError: the link's state does not allow it.
    """
    for _ in range(_DRAWS_MAX):
        now = ports.clock.now()
        code, typed = _draw(ports)
        try:
            link = await _change(
                ports, link_id, holder, partial(_rotated, event=event, code=code, typed=typed, now=now)
            )
        except CodeTaken:
            continue
        return NewCodes(link, code, typed)
    raise SlowDown("There are too many codes at the moment", retry_after_s=limits.QR_REFRESH_S)


def _rotated(link: QrLink, event: Event, code: str, typed: str, now: float) -> QrLink:
    if link.state is State.WAITING and (event is Event.CONTINUE) is not link.is_paused:
        raise SlowDown("This is not the time for a new code", retry_after_s=max(1.0, link.refresh_at - now))
    before = replace(link, codes_issued=0) if event is Event.CONTINUE else link
    return _with_codes(before, event, code, typed, now)


def _draw(ports: Ports) -> tuple[str, str]:
    code = qr_codes.code(ports.ids.random(limits.QR_CODE_BYTES))
    return code, qr_codes.typed_code(ports.ids.random(limits.QR_LINK_ID_BYTES))


def _with_codes(link: QrLink, event: Event, code: str, typed: str, now: float) -> QrLink:
    kept = [known for known in link.codes if known.expires_at > now]
    fresh = (
        Code(opaque.digest(code), is_typed=False, expires_at=now + limits.QR_CODE_TTL_S),
        Code(opaque.digest(typed), is_typed=True, expires_at=now + limits.QR_CODE_TTL_S),
    )
    valid = (*kept[-len(fresh) * (_CODES_VALID - 1) :], *fresh)
    return qr_login.step(
        link, event, now, codes=valid, codes_issued=link.codes_issued + 1, refresh_at=now + limits.QR_REFRESH_S
    )


async def resume(
    ports: Ports, caller: Caller, origin: str | None, address: str, link_id: str, secret: str, holder: str
) -> QrLink:
    """Let another socket take over a link.

    Raises:
        AccessDenied: there is no such link of this app, or the secret is wrong.
        OriginForbidden, RateLimited: as for `greet`.
        HeliographError: the link is over.
    """
    check_origin(caller.app, origin)
    await rate_limits.check(ports, *rate_limits.for_qr_link(caller, address))

    def taken_over(link: QrLink) -> QrLink:
        is_same = hmac.compare_digest(link.resume_hash, opaque.digest(secret))
        if not is_same or not belongs_to(link, caller):
            raise AccessDenied("There is no such link")
        return qr_login.step(link, Event.RESUME, ports.clock.now(), holder=holder)

    link = await ports.qr_links.change(link_id, taken_over)
    if link is None:
        raise AccessDenied("There is no such link")
    ports.bus.publish(topic(link_id))  # the socket before this one, wherever it is, has to go
    return link


def belongs_to(link: QrLink, caller: Caller) -> bool:
    """Whether a link is of the caller's app and environment."""
    return (link.app_id, link.environment) == (caller.app.id, caller.environment)


async def look(ports: Ports, link_id: str) -> QrLink | None:
    """The link as it stands now. What has run out of time expires with this, and what lost its phone fails."""
    link = await ports.qr_links.lookup(link_id)
    if link is None or link.is_over:
        return link
    now = ports.clock.now()
    if now >= link.expires_at:
        return await ports.qr_links.change(link_id, partial(_expired, now=now))
    if link.state in (State.SCANNED, State.APPROVED) and not await _is_phone_there(ports, link):
        return await ports.qr_links.change(link_id, partial(_abandoned, now=now))
    return link


def _expired(link: QrLink, now: float) -> QrLink:
    return link if link.is_over or now < link.expires_at else qr_login.step(link, Event.EXPIRE, now)


def _abandoned(link: QrLink, now: float) -> QrLink:
    return qr_login.fail(link, AccessDenied, now) if link.state in (State.SCANNED, State.APPROVED) else link


async def _is_phone_there(ports: Ports, link: QrLink) -> bool:
    """Whether the phone's session is live and its user may sign in."""
    found = await ports.sessions.lookup(link.session_id)
    return found is not None and not found[0].is_blocked and not found[0].is_expired(ports.clock.now())


async def introduce(ports: Ports, link: QrLink) -> Profile:
    """Who is about to be signed in, as a stranger may see it: the browser is nobody yet."""
    profile = await ports.profiles.lookup(link.jid)
    return profiles.redact(profile or Profile(link.jid), Viewer.STRANGER)


async def verify(ports: Ports, link_id: str, holder: str, code: str | None) -> QrLink:
    """Take the check code that a person typed, or none where none is asked for. The link is `verified` or `failed`
    afterwards. A verified one has the id of the session to be: one that is made and never delivered is found by it and
    ended, whatever becomes of this process.

    Raises:
        CheckCodeMismatch: it is wrong, and may be tried again.
        HeliographError: the link's state does not allow it.
    """
    decide = partial(_verified, code=code, session_id=sessions.new_id(ports), now=ports.clock.now())
    link = await _change(ports, link_id, holder, decide)
    if link.state is State.APPROVED and link.approval is not None:
        raise CheckCodeMismatch(details={"triesLeft": link.approval.tries_left})
    return link


def _verified(link: QrLink, code: str | None, session_id: str, now: float) -> QrLink:
    approval = link.approval
    if approval is None:
        return qr_login.step(link, Event.VERIFY, now)  # refused, as the table says
    if hmac.compare_digest(approval.check_code.encode(), (code or "").encode("utf-8", "replace")):
        done = replace(approval, check_code="")
        return qr_login.step(link, Event.VERIFY, now, approval=done, linked_session_id=session_id)
    tries_left = approval.tries_left - 1
    if tries_left <= 0:
        return qr_login.fail(link, CheckCodeMismatch, now)
    return qr_login.step(link, Event.MISTYPE, now, approval=replace(approval, tries_left=tries_left))


async def sign_in(ports: Ports, caller: Caller, link: QrLink) -> Registered:
    """Make the session of a verified link. If it cannot be made, the link fails with that reason.

    Raises:
        AccessDenied: the phone's session has ended.
        AdminBlocked: the user is blocked.
        SessionLimit, SessionNotFound: there is no room any more.
    """
    if link.approval is None or link.state is not State.VERIFIED:
        raise AlreadyUsed
    request = RegisterRequest(
        identifier=identifier_of(link.jid),
        force=link.approval.force,
        replace_session=link.approval.replace_session,
        device=link.device,
        via=Via.QR,
        approved_by=link.session_id,
        session_id=link.linked_session_id,
    )
    try:
        return await accounts.open_session(ports, caller, request)
    except UsageError as error:
        await ports.qr_links.change(link.id, partial(_failed, error=type(error), now=ports.clock.now()))
        raise


def _failed(link: QrLink, error: type[HeliographError], now: float) -> QrLink:
    return link if link.is_over else qr_login.fail(link, error, now)


async def seal(ports: Ports, link: QrLink, registered: Registered, jwe: str) -> QrLink:
    """Keep a sealed credential until the browser says that it has it; a socket that takes over gets it again.

    Raises:
        HeliographError: the link ended in between; the new session is ended.
    """
    try:
        after = await ports.qr_links.change(
            link.id, lambda current: qr_login.step(current, Event.SEAL, ports.clock.now(), sealed=jwe)
        )
        if after is None:
            raise ExpiredToken
    except UsageError:
        await _end(ports, registered)
        raise
    ports.engine.announce_session(registered.account.jid, registered.session)
    ports.bus.publish(topic(link.id))
    return after


async def _end(ports: Ports, registered: Registered) -> None:
    try:
        await sessions.end(ports, registered.account, registered.session.id, EndReason.UNCLAIMED)
    except SessionNotFound:
        return  # somebody was faster


async def expire_unclaimed(ports: Ports) -> int:
    """Let verified links expire that were not delivered in time, with the sessions that were made for them; gives the
    number of those found, at most a batch. No browser has said that it has such a session's password, so nobody but the
    audit trail is told.
    """
    now = ports.clock.now()
    found = await ports.qr_links.unclaimed(now, limits.EXPIRED_BATCH)
    for link_id in found:
        await ports.qr_links.change(link_id, partial(_expired, now=now))
    return len(found)


async def confirm(ports: Ports, link_id: str, holder: str) -> QrLink:
    """The browser has its credential: nobody gets it again, and its session stays.

    Raises:
        HeliographError: there is none yet, or the link is over.
    """

    def delivered(link: QrLink) -> QrLink:
        if link.state is State.VERIFIED and link.sealed is None:
            raise AuthorizationPending
        return qr_login.step(link, Event.DELIVER, ports.clock.now())

    return await _change(ports, link_id, holder, delivered)


async def cancel(ports: Ports, link_id: str, holder: str) -> QrLink:
    """The browser does not want to be signed in any more.

    Raises:
        HeliographError: it is too late.
    """
    return await _change(ports, link_id, holder, lambda link: qr_login.step(link, Event.CANCEL, ports.clock.now()))


async def _change(ports: Ports, link_id: str, holder: str, decide: Callable[[QrLink], QrLink]) -> QrLink:
    """One change by the socket that has the link."""

    def by_holder(link: QrLink) -> QrLink:
        if link.holder != holder:
            raise AlreadyUsed("Another socket has taken over")
        return decide(link)

    link = await ports.qr_links.change(link_id, by_holder)
    if link is None:
        raise ExpiredToken
    return link
