"""Why a stream ended, and what follows from it: pure."""

from __future__ import annotations

from dataclasses import dataclass

from heliograph.errors import AdminBlocked, AuthenticationFailed, HeliographError, Unreachable
from heliograph.sdk.states import Trigger
from heliograph.xmpp.initiator_events import AuthenticationRefused, Closed, StreamFailed
from heliograph.xmpp.session_end import SIGN_IN_AGAIN, end_reason, sentence

ADMIN_BLOCKED = "admin_blocked"
ACCOUNT_DELETED = "account_deleted"

_PASSING_CONDITIONS = frozenset(
    ("connection-timeout", "internal-server-error", "reset", "resource-constraint", "system-shutdown")
)
"""Stream errors that say something of the server's hour and nothing of this client (RFC 6120, section 4.9.3)."""

_UNSAFE_CONDITIONS = frozenset(("encryption-required", "invalid-mechanism"))
"""Sign-ins that were not tried, because the password would not have been safe."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a stream.

    Attributes:
        trigger: what it does to the connection's state.
        reason: for the app: a stream error's condition, an error's code, or why the session ended.
        error: what `connect` raises where it was still waiting.
    """

    trigger: Trigger
    reason: str
    error: HeliographError


def ending(event: StreamFailed | AuthenticationRefused | Closed, *, is_bound: bool) -> Ending:
    """What the last event of a stream means.

    Args:
        event: the event.
        is_bound: whether the stream had been ready for stanzas.
    """
    match event:
        case StreamFailed():
            return _failed(event, is_bound=is_bound)
        case AuthenticationRefused():
            return _refused(event)
        case Closed():
            return lost(Unreachable("The server closed the stream"), is_bound=is_bound)


def lost(error: HeliographError, *, is_bound: bool, reason: str | None = None) -> Ending:
    """The socket went away, or the server left with no fault of ours."""
    return Ending(Trigger.LOST if is_bound else Trigger.UNREACHABLE, reason or error.code, error)


def _failed(event: StreamFailed, *, is_bound: bool) -> Ending:
    reason = end_reason(event.error) if event.error is not None else None
    text = sentence(event.text or "")
    if reason == SIGN_IN_AGAIN:
        return lost(Unreachable(text or "The server asks for the password again"), is_bound=is_bound)
    if reason is not None:
        kind = AdminBlocked if reason == ADMIN_BLOCKED else AuthenticationFailed
        error = kind(text or "The session has ended")
        return Ending(Trigger.SESSION_ENDED, reason, error)
    said = f"The stream ended with {event.condition}" + (f": {text}" if text else "")
    if event.error is not None and event.condition in _PASSING_CONDITIONS:
        return lost(Unreachable(said), is_bound=is_bound, reason=event.condition)
    return Ending(Trigger.FAILED, event.condition, Unreachable(said))


def _refused(event: AuthenticationRefused) -> Ending:
    """What a failed sign-in means (RFC 6120, section 6.5)."""
    if event.condition == "account-disabled":
        return Ending(Trigger.REFUSED, ADMIN_BLOCKED, AdminBlocked(event.text))
    if event.condition == "temporary-auth-failure":
        return lost(Unreachable(event.text or "The server cannot check passwords now"), is_bound=False)
    if event.condition in _UNSAFE_CONDITIONS:
        return Ending(Trigger.FAILED, event.condition, Unreachable(event.text))
    return Ending(Trigger.REFUSED, AuthenticationFailed.row.code, AuthenticationFailed(event.text))
