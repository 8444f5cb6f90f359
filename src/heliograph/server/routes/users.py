"""The users of an app: for its own backend, and for users who look for each other."""

from __future__ import annotations

from msgspec import UNSET

from heliograph import wire
from heliograph.core import account_changes, accounts, deletion, directory, limits, sessions
from heliograph.core.sessions import EndReason
from heliograph.server import bodies, user_bodies
from heliograph.server.endpoints import Call, NoBody, UserCall, by_secret_key, by_token


async def listed(call: Call[NoBody]) -> wire.AccountsData:
    """`GET /users?search=&after=&limit=`: users by the beginning of their identifiers, a page at a time."""
    limit = call.number("limit", limits.PAGE_USERS_DEFAULT, limits.PAGE_USERS_MAX)
    prefix, after = (call.request.query_params.get(name, "") for name in ("search", "after"))
    found = await directory.list_accounts(call.ports, call.caller, prefix, after, limit)
    further = found[-1].identifier if len(found) == limit else None
    return wire.AccountsData(users=tuple(user_bodies.account(each) for each in found), next=further)


async def search(call: UserCall[wire.UserSearchRequest]) -> wire.UsersData:
    """`POST /users/search`: find users by what the one who asks may see of them."""
    asked = call.body
    found = await directory.search(call.ports, call.identity, asked.search, asked.page, asked.limit, asked.metadata)
    return user_bodies.found(asked.page, asked.limit, found)


async def one(call: Call[NoBody]) -> wire.AccountBody:
    """`GET /users/{identifier}`: a user, also a deleted one that can be restored."""
    return user_bodies.account(await accounts.lookup(call.ports, call.caller, call.segment("identifier")))


async def change(call: Call[wire.AccountRequest]) -> wire.AccountBody:
    """`PATCH /users/{identifier}`: change a user's cap on sessions or metadata."""
    identifier, body = call.segment("identifier"), call.body
    account = await accounts.lookup(call.ports, call.caller, identifier)
    if body.meta_data is not UNSET:
        await account_changes.set_metadata(call.ports, account.jid, body.meta_data)
    if body.max_sessions is not UNSET:
        await account_changes.set_max_sessions(call.ports, call.caller, identifier, body.max_sessions)
    return user_bodies.account(await accounts.lookup(call.ports, call.caller, identifier))


async def block(call: Call[NoBody]) -> wire.AccountBody:
    """`POST /users/{identifier}/block`: end all sessions of a user, and let none begin."""
    return await _set_blocked(call, is_blocked=True)


async def unblock(call: Call[NoBody]) -> wire.AccountBody:
    """`POST /users/{identifier}/unblock`: let a user register and sign in again."""
    return await _set_blocked(call, is_blocked=False)


async def _set_blocked(call: Call[NoBody], *, is_blocked: bool) -> wire.AccountBody:
    identifier = call.segment("identifier")
    return user_bodies.account(await account_changes.set_blocked(call.ports, call.caller, identifier, is_blocked))


async def delete(call: Call[NoBody]) -> wire.DeletionData:
    """`DELETE /users/{identifier}?immediately=`: delete a user; `true` for good and at once."""
    is_immediate = call.flag("immediately") is True
    decided = await deletion.delete(call.ports, call.caller, call.segment("identifier"), is_immediate=is_immediate)
    return user_bodies.deletion(decided)


async def restore(call: Call[NoBody]) -> wire.AccountBody:
    """`POST /users/{identifier}/restore`: undo a deletion within its grace period."""
    return user_bodies.account(await deletion.restore(call.ports, call.caller, call.segment("identifier")))


async def sessions_of(call: Call[NoBody]) -> wire.SessionsData:
    """`GET /users/{identifier}/sessions`: a user's live sessions, least recently active first."""
    account = await accounts.lookup(call.ports, call.caller, call.segment("identifier"))
    found = await sessions.list_live(call.ports, account)
    return wire.SessionsData(sessions=tuple(bodies.session(each) for each in found))


async def end_session(call: Call[NoBody]) -> None:
    """`DELETE /users/{identifier}/sessions/{id}`: end one session of a user."""
    account = await accounts.lookup(call.ports, call.caller, call.segment("identifier"))
    await sessions.end(call.ports, account, call.segment("id"), EndReason.ENDED_BY_ADMIN)


async def end_sessions(call: Call[NoBody]) -> wire.EndedData:
    """`POST /users/{identifier}/end-sessions`: sign a user out everywhere."""
    ended = await account_changes.end_everywhere(call.ports, call.caller, call.segment("identifier"))
    return wire.EndedData(session_ids=tuple(ended))


async def feedback(call: Call[NoBody]) -> wire.FeedbackData:
    """`GET /feedback?before=&limit=`: what users said on leaving, newest first."""
    limit = call.number("limit", limits.PAGE_USERS_DEFAULT, limits.PAGE_USERS_MAX)
    before = call.number("before", None, limits.NUMBER_MAX)
    found = await deletion.list_feedback(call.ports, call.caller, before, limit)
    further = found[-1].number if len(found) == limit else None
    return wire.FeedbackData(feedback=tuple(user_bodies.feedback(each) for each in found), next=further)


ENDPOINTS = (
    by_secret_key("GET", "/users", NoBody, listed),
    by_token("POST", "/users/search", wire.UserSearchRequest, search),
    by_secret_key("GET", "/users/{identifier}", NoBody, one),
    by_secret_key("PATCH", "/users/{identifier}", wire.AccountRequest, change),
    by_secret_key("DELETE", "/users/{identifier}", NoBody, delete),
    by_secret_key("POST", "/users/{identifier}/block", NoBody, block),
    by_secret_key("POST", "/users/{identifier}/unblock", NoBody, unblock),
    by_secret_key("POST", "/users/{identifier}/restore", NoBody, restore),
    by_secret_key("POST", "/users/{identifier}/end-sessions", NoBody, end_sessions),
    by_secret_key("GET", "/users/{identifier}/sessions", NoBody, sessions_of),
    by_secret_key("DELETE", "/users/{identifier}/sessions/{id}", NoBody, end_session),
    by_secret_key("GET", "/feedback", NoBody, feedback),
)
