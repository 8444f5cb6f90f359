"""The audit trail: a user's own, and the app's."""

from __future__ import annotations

from collections.abc import Sequence

from heliograph import wire
from heliograph.core import accounts, limits
from heliograph.core.audit import Entry
from heliograph.core.timestamps import iso
from heliograph.core.user_jids import identifier_of
from heliograph.server.endpoints import Call, NoBody, UserCall, by_secret_key, by_token

_NEWEST = 10**15
"""No entry has a greater number."""
_PAGE = 50


async def own(call: UserCall[NoBody]) -> wire.AuditData:
    """`GET /audit?before=&limit=`: what happened to the user who asks, the newest first."""
    account = call.identity.account
    before, limit = _page(call)
    return _data(await call.ports.audit.of_user(account.jid, account.created_at, before, limit), limit)


async def of_user(call: Call[NoBody]) -> wire.AuditData:
    """`GET /users/{identifier}/audit?before=&limit=`: what happened to a user, the newest first."""
    account = await accounts.lookup(call.ports, call.caller, call.segment("identifier"))
    before, limit = _page(call)
    return _data(await call.ports.audit.of_user(account.jid, 0.0, before, limit), limit)


async def of_app(call: Call[NoBody]) -> wire.AuditData:
    """`GET /app/audit?before=&limit=`: what happened to the app and its users, the newest first. It also tells of users
    who are gone.
    """
    caller, (before, limit) = call.caller, _page(call)
    return _data(await call.ports.audit.of_app(caller.app.id, caller.environment, before, limit), limit)


def _page(call: Call[NoBody]) -> tuple[int, int]:
    return call.number("before", _NEWEST, _NEWEST), call.number("limit", _PAGE, limits.AUDIT_PAGE_MAX)


def _data(entries: Sequence[Entry], limit: int) -> wire.AuditData:
    following = entries[-1].number if len(entries) == limit and entries[-1].number > 1 else None
    return wire.AuditData(entries=tuple(_body(entry) for entry in entries), next=following)


def _body(entry: Entry) -> wire.AuditEntryBody:
    event = entry.event
    return wire.AuditEntryBody(
        number=entry.number,
        at=iso(event.at),
        kind=event.kind.value,
        user_id=identifier_of(event.owner.jid),
        session_id=event.session_id,
        facts=dict(event.facts),
    )


ENDPOINTS = (
    by_token("GET", "/audit", NoBody, own),
    by_secret_key("GET", "/users/{identifier}/audit", NoBody, of_user),
    by_secret_key("GET", "/app/audit", NoBody, of_app),
)
