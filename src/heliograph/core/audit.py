"""The audit trail: what happened to an app and its users, in a chain that shows each later change.

A store writes an entry in the transaction of the change itself, so neither is without the other. Each app has a chain
of its own. An entry's hash covers its content and the hash before it: an entry that is edited, removed or moved breaks
the chain from there on, and one that is removed at the end is missed by the head, which is kept apart. Who can rewrite
the whole chain and its head is found by a head that was noted elsewhere (`heliograph audit verify --head`).

Old entries are let go from the first on. The chain then begins behind an anchor, number and hash of the last one that
went, and an entry at its end names the anchor: whoever takes away the beginning without such an entry is found out.

No entry holds a password, token, key, code or address of a webhook; of a profile it tells which fields changed, and not
to what. The webhooks' messages are made from the same events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from heliograph.core import limits
from heliograph.core.apps import Environment
from heliograph.core.qr_login import State
from heliograph.core.sessions import EndReason, Via

if TYPE_CHECKING:
    from heliograph.core.account_changes import AccountChange
    from heliograph.core.accounts import Account, Registration
    from heliograph.core.apps import App
    from heliograph.core.ports import AuditStore, Ports
    from heliograph.core.profiles import Profile
    from heliograph.core.qr_login import QrLink

Fact = str | int | bool | Sequence[str]
"""What an event tells beside its subject; JSON holds it."""


class Kind(StrEnum):
    """What can happen."""

    APP_CREATED = "app.created"
    APP_POLICY_CHANGED = "app.policy_changed"
    APP_KEY_REPLACED = "app.key_replaced"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_REMOVED = "webhook.removed"
    AUDIT_FORGOTTEN = "audit.forgotten"
    USER_REGISTERED = "user.registered"
    USER_BLOCKED = "user.blocked"
    USER_UNBLOCKED = "user.unblocked"
    USER_CHANGED = "user.changed"
    USER_DELETED = "user.deleted"
    USER_RESTORED = "user.restored"
    USER_PURGED = "user.purged"
    SESSION_CREATED = "session.created"
    SESSION_RENEWED = "session.renewed"
    SESSION_ENDED = "session.ended"
    PROFILE_UPDATED = "profile.updated"
    QR_REQUESTED = "qr.requested"
    QR_RESUMED = "qr.resumed"
    QR_SCANNED = "qr.scanned"
    QR_APPROVED = "qr.approved"
    QR_CHECK_CODE_WRONG = "qr.check_code_wrong"
    QR_VERIFIED = "qr.verified"
    QR_DELIVERED = "qr.delivered"
    QR_DENIED = "qr.denied"
    QR_EXPIRED = "qr.expired"
    QR_CANCELLED = "qr.cancelled"
    QR_FAILED = "qr.failed"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom an event concerns: an app and environment and, where it is about a user, the bare JID."""

    app_id: str
    environment: Environment
    jid: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened.

    Attributes:
        at: seconds since the epoch.
        session_id: the session that it is about; `""` where it is about none.
        facts: what else it tells; the names are those of the public bodies.
    """

    kind: Kind
    owner: Owner
    at: float
    session_id: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


class Head(NamedTuple):
    """The newest entry of a chain: its number (0: there is none yet) and its hash."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the chain of its app; `number` counts from 1 without a gap."""

    number: int
    event: Event
    hash: bytes


EMPTY = Head(0, bytes(32))
"""The head of a chain without entries."""

_encode = msgspec.json.Encoder().encode
_PAGE = 1000
"""How many entries are read at a time."""


# ----------------------------------------------------------------------------------------------------------- the chain


def seal(head: Head, event: Event) -> Entry:
    """The entry that follows a head."""
    return Entry(head.number + 1, event, _hash(head.hash, head.number + 1, event))


def _hash(before: bytes, number: int, event: Event) -> bytes:
    owner = event.owner
    content = (
        number,
        event.at,
        event.kind.value,
        owner.app_id,
        owner.environment.value,
        owner.jid,
        event.session_id,
        event.facts,
    )
    return hashlib.sha256(before + _encode(content)).digest()


def find_break(entries: Iterable[Entry], head: Head) -> str | None:
    """Where a chain is broken, in one sentence; `None` where it is whole.

    Args:
        entries: those that follow `head`, in order.
        head: what comes before them; it moves on, so that a long chain can be checked page by page with `last`.
    """
    for entry in entries:
        expected = head.number + 1
        if entry.number != expected:
            return f"entry {expected} is missing: {entry.number} stands in its place"
        if entry.hash != _hash(head.hash, entry.number, entry.event):
            return f"entry {entry.number} was changed, or what stood before it"
        head = Head(entry.number, entry.hash)
    return None


async def verify(store: AuditStore, app_id: str, noted: Head | None = None) -> tuple[Head, str | None]:
    """Check the whole chain of an app, as far as it is kept.

    Args:
        store: where the trail is.
        app_id: whose chain.
        noted: a head that was noted earlier and elsewhere; the chain has to contain it.

    Returns:
        The head up to which the chain is whole, and what is wrong behind it (`None`: nothing).
    """
    while True:
        anchor = await store.anchor(app_id)
        found = await _verify_behind(store, app_id, anchor, noted)
        if found[1] is None or anchor == await store.anchor(app_id):
            return found  # else entries were let go meanwhile


async def _verify_behind(store: AuditStore, app_id: str, anchor: Head, noted: Head | None) -> tuple[Head, str | None]:
    kept, head, is_told = await store.head(app_id), anchor, anchor == EMPTY
    while page := await store.chain(app_id, head.number, _PAGE):
        for entry in page:
            if problem := find_break([entry], head):
                return head, problem
            is_told = is_told or _forgotten(entry.event) == anchor
            head = Head(entry.number, entry.hash)
            if noted is not None and noted.number == head.number and noted.hash != head.hash:
                return head, f"entry {head.number} is not the one that was noted"
    return head, _what_lacks(anchor, head, kept, noted, is_told=is_told)


def _what_lacks(anchor: Head, head: Head, kept: Head, noted: Head | None, *, is_told: bool) -> str | None:
    """What is missing at either end of a chain that is whole in itself."""
    if not is_told:
        return f"the entries up to {anchor.number} are missing, and none says that they were let go"
    if noted is not None and noted.number < anchor.number:
        return f"entry {noted.number} was noted, and the chain is kept from entry {anchor.number + 1} on"
    if noted is not None and noted.number > head.number:
        return f"the trail ends at entry {head.number}, and entry {noted.number} was noted"
    if head != kept and head.number <= kept.number:
        return f"the trail ends at entry {head.number}, and its head says {kept.number}"
    return None


def _forgotten(event: Event) -> Head | None:
    """The anchor that an entry names; `None` where it is about something else."""
    if event.kind is not Kind.AUDIT_FORGOTTEN:
        return None
    return Head(int(str(event.facts["through"])), bytes.fromhex(str(event.facts["hash"])))


async def forget(ports: Ports, kept_s: float) -> int:
    """Let a batch of entries go that are older; 0 seconds keep them for ever. Returns how many went."""
    if kept_s == 0:
        return 0
    now = ports.clock.now()
    return await ports.audit.forget(now - kept_s, now, limits.AUDIT_FORGOTTEN_BATCH)


async def follow(ports: Ports, seen: Mapping[str, int]) -> dict[str, int]:
    """Tell the engine of sessions that ended or were let in by QR code since, whoever did it: another process over the
    same store does not know our connections. What we did ourselves is told a second time, which changes nothing.

    Args:
        ports: the node's ports.
        seen: the numbers of the newest entries that were looked at, by app.

    Returns:
        Those numbers now.
    """
    now = await ports.audit.heads()
    for app_id, newest in now.items():
        after = seen.get(app_id, 0)
        while after < newest and (page := await ports.audit.chain(app_id, after, _PAGE)):
            for entry in page:
                await _tell_engine(ports, entry.event)
            after = page[-1].number
    return now


async def _tell_engine(ports: Ports, event: Event) -> None:
    if event.kind is Kind.SESSION_ENDED:
        reason = EndReason(str(event.facts["reason"]))
        ports.engine.disconnect_session(event.owner.jid, event.session_id, reason)
    elif event.kind is Kind.SESSION_CREATED and event.facts.get("via") == Via.QR and not ports.engine.reaches_all:
        found = await ports.sessions.lookup(event.session_id)
        if found is not None:
            ports.engine.announce_session(event.owner.jid, found[1])


# ---------------------------------------------------------------------------------------------------------- the events


def owner_of(account: Account) -> Owner:
    """Whom an event about an account concerns."""
    return Owner(account.app_id, account.environment, account.jid)


def of_app(kind: Kind, app: App, at: float, facts: Mapping[str, Fact]) -> Event:
    """Something that the operator did to an app; it stands with the live users."""
    return Event(kind, Owner(app.id, Environment.LIVE), at, facts=facts)


def of_forgotten(app_id: str, anchor: Head, at: float) -> Event:
    """Entries were let go: those up to the anchor."""
    facts: dict[str, Fact] = {"through": anchor.number, "hash": anchor.hash.hex()}
    return Event(Kind.AUDIT_FORGOTTEN, Owner(app_id, Environment.LIVE), at, facts=facts)


def of_registration(registration: Registration, is_new: bool) -> list[Event]:
    """What one registration did, in order: a new user, the sessions that made room, the new session."""
    owner, session = owner_of(registration.account), registration.session
    if registration.is_repeat:
        return [Event(Kind.SESSION_RENEWED, owner, session.last_active_at, session.id)]
    events = [Event(Kind.USER_REGISTERED, owner, session.created_at)] if is_new else []
    for session_id in registration.ended:
        events += of_ended(owner, (session_id,), registration.end_reason(session_id), session.created_at)
    device = session.device
    told = {"via": session.via.value, "device": device.device, "browser": device.browser, "os": device.os}
    facts = {name: text for name, text in {**told, "ip": device.ip}.items() if text}
    events.append(Event(Kind.SESSION_CREATED, owner, session.created_at, session.id, facts))
    return events


def of_ended(owner: Owner, session_ids: Iterable[str], reason: EndReason, at: float) -> list[Event]:
    """The ends of sessions."""
    return [Event(Kind.SESSION_ENDED, owner, at, each, {"reason": reason.value}) for each in session_ids]


def of_account(before: Account, change: AccountChange, at: float) -> list[Event]:
    """A change of an account: blocked or not, deleted or restored; of all else the names, never what they hold."""
    owner, after, events = owner_of(before), change.account, []
    if before.is_blocked != after.is_blocked:
        events.append(Event(Kind.USER_BLOCKED if after.is_blocked else Kind.USER_UNBLOCKED, owner, at))
    if after.is_deleted and not before.is_deleted:
        facts: dict[str, Fact] = {} if change.ends is None else {"reason": change.ends.value}
        events.append(Event(Kind.USER_DELETED, owner, at, facts=facts))
    if before.is_deleted and not after.is_deleted:
        events.append(Event(Kind.USER_RESTORED, owner, at))
    names = {"metadata": "metaData", "max_sessions": "maxSessions"}
    changed = [public for name, public in names.items() if getattr(before, name) != getattr(after, name)]
    if changed:
        events.append(Event(Kind.USER_CHANGED, owner, at, facts={"changed": changed}))
    return events


def of_deletion(account: Account, session_ids: Iterable[str], reason: EndReason, at: float) -> list[Event]:
    """An account is gone for good, and its live sessions with it."""
    owner = owner_of(account)
    kind = Kind.USER_PURGED if account.is_deleted else Kind.USER_DELETED
    return [*of_ended(owner, session_ids, reason, at), Event(kind, owner, at, facts={"reason": reason.value})]


def of_profile(owner: Owner, before: Profile, after: Profile) -> Event:
    """A profile has changed: its version and the names of the fields, never what they hold."""
    names = {"name": "nickName", "image": "image", "status": "status", "mobile": "mobileNumber", "email": "email"}
    changed = [public for name, public in names.items() if getattr(before, name) != getattr(after, name)]
    if before.visibility != after.visibility:
        changed.append("visibility")
    facts: dict[str, Fact] = {"version": after.version, "changed": changed}
    return Event(Kind.PROFILE_UPDATED, owner, after.updated_at, facts=facts)


_QR_KINDS: Mapping[State, Kind] = {
    State.WAITING: Kind.QR_REQUESTED,
    State.SCANNED: Kind.QR_SCANNED,
    State.APPROVED: Kind.QR_APPROVED,
    State.VERIFIED: Kind.QR_VERIFIED,
    State.DELIVERED: Kind.QR_DELIVERED,
    State.DENIED: Kind.QR_DENIED,
    State.EXPIRED: Kind.QR_EXPIRED,
    State.CANCELLED: Kind.QR_CANCELLED,
    State.FAILED: Kind.QR_FAILED,
}


def of_qr_link(before: QrLink | None, after: QrLink) -> list[Event]:
    """The step of QR sign-in that leads from one state of a link to another; a new code is none."""
    kind = _qr_kind(before, after)
    if kind is None:
        return []
    facts: dict[str, Fact] = {"linkId": after.id}
    if before is None:
        device = after.device
        told = {"device": device.device, "browser": device.browser, "os": device.os, "ip": device.ip}
        facts |= {name: text for name, text in told.items() if text}
    if after.failure:
        facts["code"] = after.failure
    owner = Owner(after.app_id, after.environment, after.jid)
    return [Event(kind, owner, after.changed_at or after.created_at, after.session_id, facts)]


def _qr_kind(before: QrLink | None, after: QrLink) -> Kind | None:
    if before is None or before.state is not after.state:
        return _QR_KINDS[after.state]
    if before.holder != after.holder:
        return Kind.QR_RESUMED
    if before.approval is not None and after.approval is not None and before.approval != after.approval:
        return Kind.QR_CHECK_CODE_WRONG
    return None
