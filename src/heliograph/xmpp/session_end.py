"""How a device is told that its session ended: a stream error with a reason of our own (RFC 6120, section 4.9.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import NS_STREAM_ERRORS, quote
from heliograph.xmpp.stream import StreamError

NS_SESSION_END = "urn:heliograph:session:1"
SIGN_IN_AGAIN = "sign_in_again"
"""Not the end of the session: its device has to show its password once more."""
_ENDED_TAG = f"{{{NS_SESSION_END}}}ended"
_TEXT_TAG = f"{{{NS_STREAM_ERRORS}}}text"
_TOLD = re.compile(rf"\s*\({NS_SESSION_END}#([a-z_]+)\)$")

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
    "unclaimed": ("not-authorized", "The session's credential was never delivered"),
    SIGN_IN_AGAIN: ("reset", "Please sign in again"),
}


def session_ended(reason: str) -> StreamError:
    """The stream error that tells a device why its session ended."""
    condition, text = _CONDITIONS[reason]
    return StreamError(condition, text, f"<ended xmlns='{NS_SESSION_END}' reason={quote(reason)}/>")


def end_text(reason: str) -> str:
    """The same in one sentence, for a server that lets nothing but a sentence be told."""
    return f"{_CONDITIONS[reason][1]} ({NS_SESSION_END}#{reason})"


def sentence(text: str) -> str:
    """What a received stream error says to people, without the mark of `end_text`."""
    return _TOLD.sub("", text)


def end_reason(error: Element) -> str | None:
    """Why the session ended, from a received `<stream:error/>`; `None` if the error says nothing of it."""
    ended = error.find(_ENDED_TAG)
    if ended is not None:
        return ended.get("reason")
    told = _TOLD.search(error.findtext(_TEXT_TAG, ""))
    return None if told is None else told[1]
