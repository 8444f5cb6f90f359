"""Device sessions: each is one device's sign-in with a password of its own, capped per user, and ended alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from heliograph.core import limits, opaque
from heliograph.core.timestamps import iso
from heliograph.errors import SessionLimit, SessionNotFound, StepUpRequired

if TYPE_CHECKING:
    from heliograph.core.accounts import Account
    from heliograph.core.ports import Ports


class Via(StrEnum):
    """How a session came to be."""

    REGISTER = "register"
    QR = "qr"


class EndReason(StrEnum):
    """Why a session ended; told to the device and kept in the record."""

    LOGOUT = "logout"
    EVICTED = "evicted"
    REPLACED = "replaced"
    ENDED_BY_USER = "ended_by_user"
    ENDED_BY_ADMIN = "ended_by_admin"
    ADMIN_BLOCKED = "admin_blocked"
    ACCOUNT_DELETED = "account_deleted"
    TOKEN_REUSED = "token_reused"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNCLAIMED = "unclaimed"
    """Linked by QR code, and its credential never reached the browser: nobody could use it."""


@dataclass(frozen=True, slots=True)
class Device:
    """What a device says of itself (each at most 128 characters) and the address it came from; all may be empty."""

    device: str = ""
    browser: str = ""
    os: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """When an account was last active, in seconds since the epoch, and what its user said on going away, or `""`."""

    at: float
    status: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A live device session. Times are seconds since the epoch."""

    id: str
    account_id: int
    via: Via
    device: Device
    created_at: float
    last_active_at: float

    @property
    def is_web(self) -> bool:
        """Whether a browser holds it: it was linked by QR code, or its device names a browser."""
        return self.via is Via.QR or self.device.browser != ""

    @property
    def is_linked(self) -> bool:
        """Whether another session let it in. It has the scope `linked`: it may not let in further ones, nor delete the
        account.
        """
        return self.via is Via.QR


@dataclass(frozen=True, slots=True)
class Verifiers:
    """What the server keeps of a session's password: enough to check a proof, never enough to make one.

    `stored_*` and `server_*` are the StoredKey and ServerKey of RFC 5802, section 3, for SCRAM-SHA-1 and SCRAM-SHA-256;
    `sha256` is the SHA-256 of the password, for PLAIN (the password is random, so no slow hash is needed).
    """

    stored_sha1: bytes
    server_sha1: bytes
    stored_sha256: bytes
    server_sha256: bytes
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """A new password with its verifiers under a salt and an iteration count. The password leaves in the answer and is
    forgotten.
    """

    password: str
    salt: bytes
    iterations: int
    verifiers: Verifiers

    def __repr__(self) -> str:
        return "Credentials(…)"


def require_own_sign_in(session: Session) -> None:
    """Let only a session pass that its user signed in directly.

    Raises:
        StepUpRequired: it was linked by QR code.
    """
    if session.is_linked:
        raise StepUpRequired


def new_id(ports: Ports) -> str:
    """An id for a session to be."""
    return opaque.encode("ses_", ports.ids.random(limits.SESSION_ID_BYTES))


def clip(device: Device) -> Device:
    """What a device says of itself, fit to be shown: printable characters only, each field at most 128."""

    def shown(text: str) -> str:
        printable = text if text.isprintable() else "".join(filter(str.isprintable, text))
        return printable.strip()[: limits.DEVICE_FIELD_MAX_CHARS]

    return Device(shown(device.device), shown(device.browser), shown(device.os), shown(device.ip))


def admit(
    sessions: Sequence[Session],
    max_sessions: int,
    force: bool,
    replace_session: str | None,
    approver: str | None = None,
) -> tuple[str, ...]:
    """Say which sessions make room for a new one.

    A named session goes in any case, also below the cap. If that is not room enough (after a cap was lowered, more than
    one has to go), the least recently active ones follow.

    Args:
        sessions: the user's live sessions; among those that were last active at the same time, older ones first.
        max_sessions: the cap, at least 1, which counts the new session.
        force: whether sessions that were not named may be ended.
        replace_session: the id of the session to be replaced.
        approver: the id of the session that lets the new one in; it is the last to make room.

    Returns:
        The ids of the sessions to end.

    Raises:
        SessionNotFound: `replace_session` is not among the live ones.
        SessionLimit: there is no room and `force` is off; `details.sessions` describes the live sessions.
    """
    if replace_session is not None and all(session.id != replace_session for session in sessions):
        raise SessionNotFound
    named = () if replace_session is None else (replace_session,)
    others = [session for session in sessions if session.id != replace_session]
    excess = max(0, len(others) + 1 - max_sessions)
    if excess and not force:
        raise SessionLimit(details={"sessions": [describe(session) for session in sessions]})
    idle_first = sorted(
        others, key=lambda session: (session.id == approver, session.last_active_at, session.created_at)
    )
    return (*named, *(session.id for session in idle_first[:excess]))


def describe(session: Session, current_id: str | None = None) -> dict[str, Any]:
    """The public form of a session: `{id, device, browser, os, ip, createdAt, lastActiveAt, via, current}`.

    Args:
        session: a live session.
        current_id: the id of the session that is asking, if one is.
    """
    return {
        "id": session.id,
        "device": session.device.device,
        "browser": session.device.browser,
        "os": session.device.os,
        "ip": session.device.ip,
        "createdAt": iso(session.created_at),
        "lastActiveAt": iso(session.last_active_at),
        "via": session.via.value,
        "current": session.id == current_id,
    }


async def list_live(ports: Ports, account: Account) -> list[Session]:
    """The live sessions of an account, least recently active first."""
    return await ports.sessions.live(account.id)


async def end(ports: Ports, account: Account, session_id: str, reason: EndReason) -> None:
    """End one session with its tokens, and close its connections; the account's other sessions go on.

    Raises:
        SessionNotFound: no live session of this account has that id.
    """
    if not await _end_all(ports, account, [session_id], reason):
        raise SessionNotFound


async def end_others(ports: Ports, account: Account, keep_session_id: str, only_web: bool = False) -> list[str]:
    """End all sessions of an account but one, at that user's wish.

    Args:
        ports: the node's ports.
        account: whose sessions.
        keep_session_id: the session that stays.
        only_web: end only those that a browser holds.

    Returns:
        The ids of the ended sessions.
    """
    live = await ports.sessions.live(account.id)
    chosen = [session.id for session in live if session.id != keep_session_id and (session.is_web or not only_web)]
    return await _end_all(ports, account, chosen, EndReason.ENDED_BY_USER) if chosen else []


async def end_idle(ports: Ports, idle_s: float) -> int:
    """End sessions that were linked by QR code and not used for so long; gives the number of those found, at most a
    batch.
    """
    found = await ports.sessions.idle(Via.QR, ports.clock.now() - idle_s, limits.EXPIRED_BATCH)
    for account, session in found:
        await _end_all(ports, account, [session.id], EndReason.EXPIRED)
    return len(found)


async def _end_all(ports: Ports, account: Account, session_ids: Sequence[str], reason: EndReason) -> list[str]:
    ended = await ports.sessions.end(account.id, session_ids, reason, ports.clock.now())
    for session_id in ended:
        ports.engine.disconnect_session(account.jid, session_id, reason)
    return ended


def touch(ports: Ports, session: Session, now: float) -> None:
    """Note that a session is active, at most once a minute."""
    if now - session.last_active_at >= limits.SESSION_TOUCH_S:
        ports.sessions.touch(session.id, now)
