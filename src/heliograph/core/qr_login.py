"""QR sign-in as one transition table: what becomes of a link at each event, or with which code the event is refused.

A link is one browser's wish to be signed in. The words are those of RFC 8628 where it has them; the threats and what is
done about them are those of RFC 10027 (Security of Cross-Device Flows). `qr_browser` and `qr_phone` hold the use cases
of the two sides; both go through `step`, inside the store's transaction, so that of two events that meet one wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from heliograph.core import limits
from heliograph.core.apps import Environment
from heliograph.core.sessions import Device
from heliograph.errors import TABLE as ERRORS
from heliograph.errors import AccessDenied, AlreadyUsed, AuthorizationPending, ExpiredToken, HeliographError


class State(StrEnum):
    """Where a link stands."""

    WAITING = "waiting"
    SCANNED = "scanned"
    APPROVED = "approved"
    VERIFIED = "verified"
    DELIVERED = "delivered"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Event(StrEnum):
    """What can happen to a link."""

    ROTATE = "rotate"
    """The server: the next code is due."""
    CONTINUE = "continue"
    """The browser: a person clicked after the pause."""
    RESUME = "resume"
    """The browser: another socket takes the place of a lost one."""
    SCAN = "scan"
    """The phone: it shows a valid code."""
    APPROVE = "approve"
    """The phone: its user agreed on the consent screen."""
    DENY = "deny"
    """The phone: its user did not agree."""
    VERIFY = "verify"
    """The browser: it gave the right check code, or none is asked for."""
    MISTYPE = "mistype"
    """The browser: it gave a wrong check code, and may try again."""
    SEAL = "seal"
    """The server: the sealed credential is there, and goes to each socket that has the link."""
    DELIVER = "deliver"
    """The browser: it has the sealed credential."""
    CANCEL = "cancel"
    """The browser: it does not want to be signed in any more."""
    EXPIRE = "expire"
    """The server: the state's time is over."""
    FAIL = "fail"
    """The server: wrong check codes, a wrong key, or the phone's session has ended."""


Outcome = State | type[HeliographError]
"""The next state, or the error with which the event is refused."""

FINAL = frozenset((State.DELIVERED, State.DENIED, State.EXPIRED, State.CANCELLED, State.FAILED))

_ENDINGS: Mapping[Event, Outcome] = {
    Event.CANCEL: State.CANCELLED,
    Event.EXPIRE: State.EXPIRED,
    Event.FAIL: State.FAILED,
}


def _over(error: type[HeliographError]) -> Mapping[Event, Outcome]:
    return dict.fromkeys(Event, error)


TABLE: Mapping[State, Mapping[Event, Outcome]] = {
    State.WAITING: {
        **_ENDINGS,
        Event.ROTATE: State.WAITING,
        Event.CONTINUE: State.WAITING,
        Event.RESUME: State.WAITING,
        Event.SCAN: State.SCANNED,
        Event.APPROVE: AccessDenied,
        Event.DENY: AccessDenied,
        Event.VERIFY: AuthorizationPending,
        Event.MISTYPE: AuthorizationPending,
        Event.SEAL: AuthorizationPending,
        Event.DELIVER: AuthorizationPending,
    },
    State.SCANNED: {
        **_ENDINGS,
        Event.ROTATE: AlreadyUsed,
        Event.CONTINUE: AlreadyUsed,
        Event.RESUME: State.SCANNED,
        Event.SCAN: AlreadyUsed,
        Event.APPROVE: State.APPROVED,
        Event.DENY: State.DENIED,
        Event.VERIFY: AuthorizationPending,
        Event.MISTYPE: AuthorizationPending,
        Event.SEAL: AuthorizationPending,
        Event.DELIVER: AuthorizationPending,
    },
    State.APPROVED: {
        **_ENDINGS,
        Event.ROTATE: AlreadyUsed,
        Event.CONTINUE: AlreadyUsed,
        Event.RESUME: State.APPROVED,
        Event.SCAN: AlreadyUsed,
        Event.APPROVE: AlreadyUsed,
        Event.DENY: State.DENIED,
        Event.VERIFY: State.VERIFIED,
        Event.MISTYPE: State.APPROVED,
        Event.SEAL: AuthorizationPending,
        Event.DELIVER: AuthorizationPending,
    },
    State.VERIFIED: {
        **_ENDINGS,
        Event.ROTATE: AlreadyUsed,
        Event.CONTINUE: AlreadyUsed,
        Event.RESUME: State.VERIFIED,
        Event.SCAN: AlreadyUsed,
        Event.APPROVE: AlreadyUsed,
        Event.DENY: State.DENIED,
        Event.VERIFY: AlreadyUsed,
        Event.MISTYPE: AlreadyUsed,
        Event.SEAL: State.VERIFIED,
        Event.DELIVER: State.DELIVERED,
    },
    State.DELIVERED: _over(AlreadyUsed),
    State.DENIED: _over(AccessDenied),
    State.EXPIRED: _over(ExpiredToken),
    State.CANCELLED: _over(ExpiredToken),
    State.FAILED: _over(AccessDenied),
}
"""Every state and every event. A link that failed tells its own reason in place of `access_denied`."""

_LIFETIMES_S: Mapping[State, float] = {
    State.WAITING: limits.QR_WAIT_TTL_S,
    State.SCANNED: limits.QR_CONSENT_TTL_S,
    State.APPROVED: limits.QR_CHECK_TTL_S,
    State.VERIFIED: limits.QR_DELIVERY_TTL_S,
}
"""How long a state lasts at most. A final one does not expire; it is forgotten some time later."""

_RENEWING = frozenset((Event.ROTATE, Event.CONTINUE))
"""The events that begin a state's time anew though they do not leave it."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code at rest: its SHA-256, whether it is the one for typing, and when its time is over."""

    hash: bytes
    is_typed: bool
    expires_at: float


@dataclass(frozen=True, slots=True)
class Approval:
    """What the phone agreed to.

    Attributes:
        check_code: the two digits that the phone shows; `""` where the app's policy asks for none.
        tries_left: how many wrong check codes the browser may still give.
        force: at the session cap, whether the least recently active session makes room.
        replace_session: the id of the session that makes room.
    """

    check_code: str = field(repr=False)
    tries_left: int
    force: bool
    replace_session: str | None


@dataclass(frozen=True, slots=True)
class QrLink:
    """One browser's wish to be signed in.

    Attributes:
        public_key: the browser's ephemeral key (JWK as JSON text); the browser has shown that it holds the other half.
        key_hash: its thumbprint (RFC 7638, SHA-256), as the QR code says it.
        device: what the browser says of itself, and its address.
        resume_hash: the SHA-256 of the secret with which another socket may take over.
        holder: which socket the link belongs to now; random, unknown to clients.
        refresh_at: when the next code is due.
        expires_at: when the present state's time is over.
        codes: the valid codes; those of a link that was scanned tell others that they are late.
        codes_issued: how many codes the browser has had since the last click.
        session_id: the phone's session, from the scan on; `""` before.
        jid: its user.
        needs_key_hash: whether the phone saw the QR code, and so the thumbprint.
        linked_session_id: the session that the browser gets, from the check code on; it may not have been made yet.
        failure: the error code of a link that failed.
        sealed: the credential for the browser alone, until it says that it has it.
        changed_at: when the last event was; 0 of a link that was made by an earlier version.
    """

    id: str
    app_id: str
    environment: Environment
    public_key: str
    key_hash: str
    device: Device
    resume_hash: bytes
    holder: str
    created_at: float
    refresh_at: float
    expires_at: float
    state: State = State.WAITING
    codes: tuple[Code, ...] = ()
    codes_issued: int = 0
    session_id: str = ""
    jid: str = ""
    needs_key_hash: bool = True
    approval: Approval | None = None
    linked_session_id: str = ""
    failure: str = ""
    sealed: str | None = field(default=None, repr=False)
    changed_at: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in FINAL

    @property
    def unclaimed_session_id(self) -> str:
        """The session whose credential has not reached the browser; `""` where there is none such."""
        return "" if self.state is State.DELIVERED else self.linked_session_id

    @property
    def is_paused(self) -> bool:
        """Whether all codes of a run are out: the next one takes a click."""
        return self.state is State.WAITING and self.codes_issued >= limits.QR_CODES_MAX


class CodeTaken(Exception):
    """A new code is that of another link already: draw another one."""


def step(link: QrLink, event: Event, now: float, **changes: Any) -> QrLink:
    """The link after an event.

    Args:
        link: as it stands.
        event: what happened.
        now: seconds since the epoch.
        changes: further fields that the event sets.

    Raises:
        HeliographError: what the table says, or `ExpiredToken` where the state's time is over.
    """
    if not link.is_over and now >= link.expires_at and event is not Event.EXPIRE:
        raise ExpiredToken
    outcome = TABLE[link.state][event]
    if not isinstance(outcome, State):
        raise failure_of(link) if link.state is State.FAILED else outcome()
    if outcome in FINAL:
        changes = {"approval": None, "sealed": None, "expires_at": now, **changes}
    elif outcome is not link.state or event in _RENEWING:
        changes = {"expires_at": now + _LIFETIMES_S[outcome], **changes}
    return replace(link, state=outcome, changed_at=now, **changes)


def fail(link: QrLink, error: type[HeliographError], now: float) -> QrLink:
    """The link, failed for that reason."""
    return step(link, Event.FAIL, now, failure=error.row.code)


def failure_of(link: QrLink) -> HeliographError:
    """Why a link that is over came to nothing, as an error."""
    over = {State.EXPIRED: ExpiredToken, State.CANCELLED: ExpiredToken, State.DELIVERED: AlreadyUsed}
    return ERRORS.get(link.failure, over.get(link.state, AccessDenied))()


def deadline(state: State, now: float) -> float:
    """When a link that enters a state now expires."""
    return now + _LIFETIMES_S[state]
