"""Device sessions, and the devices that hold them."""

from __future__ import annotations

from typing import Literal

from heliograph.wire.envelope import Body, Request


class DeviceBody(Request, frozen=True, kw_only=True):
    """What a device says of itself, for the list of sessions; each at most 128 characters, all may be empty."""

    device: str = ""
    browser: str = ""
    os: str = ""


class SessionBody(Body, frozen=True, kw_only=True):
    """A live device session. Times are ISO 8601 in UTC; `current` marks the one that asks."""

    id: str
    device: str
    browser: str
    os: str
    ip: str
    created_at: str
    last_active_at: str
    via: Literal["register", "qr"]
    current: bool = False


class SessionsData(Body, frozen=True, kw_only=True):
    """The user's live sessions."""

    sessions: tuple[SessionBody, ...]


class EndOthersRequest(Request, frozen=True, kw_only=True):
    """End all other sessions of the user, or only those that a browser holds (`onlyWeb`)."""

    only_web: bool = False


class EndedData(Body, frozen=True, kw_only=True):
    """The ids of the sessions that were ended."""

    session_ids: tuple[str, ...]
