"""How a device is told that its session ended: a stream error with a reason of our own (RFC 6120, section 4.9.4)."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import quote
from heliograph.xmpp.stream import StreamError

NS_SESSION_END = "urn:heliograph:session:1"
_ENDED_TAG = f"{{{NS_SESSION_END}}}ended"

_CONDITIONS: Mapping[str, tuple[str, str]] = {
    "logout": ("not-authorized", "The session was logged out"),
    "evicted": ("conflict", "The session was ended because the user signed in on another device at the cap"),
    "replaced": ("conflict", "The session was replaced by another device"),
    "ended_by_user": ("not-authorized", "The session was ended from another device"),
    "ended_by_admin": ("not-authorized", "The session was ended by the administrator"),
    "admin_blocked": ("policy-violation", "The user is blocked by the administrator"),
    "account_deleted": ("not-authorized", "The account was deleted"),
    "token_reused": ("not-authorized", "The session was ended because an old refresh token was used again"),
    "revoked": ("not-authorized", "A token of the session was revoked"),
    "expired": ("not-authorized", "The session has expired"),
}


def session_ended(reason: str) -> StreamError:
    """The stream error that tells a device why its session ended."""
    condition, text = _CONDITIONS[reason]
    return StreamError(condition, text, f"<ended xmlns='{NS_SESSION_END}' reason={quote(reason)}/>")


def end_reason(error: Element) -> str | None:
    """Why the session ended, from a received `<stream:error/>`; `None` if the error says nothing of it."""
    ended = error.find(_ENDED_TAG)
    return None if ended is None else ended.get("reason")
