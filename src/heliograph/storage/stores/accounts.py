"""Accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from heliograph.core import audit
from heliograph.core.account_changes import AccountChange, Feedback
from heliograph.core.accounts import Account, Registration, Standing
from heliograph.core.apps import Environment
from heliograph.core.assertions import AssertionUse
from heliograph.core.contacts import RosterChange
from heliograph.core.directory import account_terms
from heliograph.core.retries import Earlier, RetryKey
from heliograph.core.sessions import EndReason, Session
from heliograph.core.user_jids import domain_of
from heliograph.errors import AccountNotFound, RegistrationUnverified
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer, new_row, next_mark
from heliograph.storage.stores.archive import delete_archive
from heliograph.storage.stores.audit import record
from heliograph.storage.stores.contacts import next_version
from heliograph.storage.stores.directory import keep_terms
from heliograph.storage.stores.sessions import close_sessions, end_sessions

_LAST = 2**63 - 1
"""No row has a greater number."""


class SqlAccounts:
    """The adapter of `AccountStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def lookup(self, jid: str) -> Account | None:
        """The account of that bare JID."""
        row = await self._reader.row(sql.ACCOUNT_BY_JID, (jid,))
        return None if row is None else rows.account(row)

    async def register(
        self,
        jid: str,
        decide: Callable[[Standing], Registration],
        assertion: AssertionUse | None = None,
        retry: RetryKey | None = None,
    ) -> Registration:
        """One atomic registration; `RegistrationUnverified` where the assertion was used before."""
        work = partial(_register, jid=jid, decide=decide, assertion=assertion, retry=retry)
        return await self._writer.write(work, (jid,), is_in_line=True)

    async def change(
        self, jid: str, now: float, decide: Callable[[Account], AccountChange]
    ) -> tuple[AccountChange, list[str]]:
        """One atomic change, with the end of all sessions where it says so; `AccountNotFound`."""
        return await self._writer.write(partial(_change, jid=jid, now=now, decide=decide), (jid,), is_in_line=True)

    async def delete(self, account_id: int, reason: EndReason, now: float) -> list[RosterChange]:
        """Delete an account with all that belongs to it; the changes are those of other users' rosters."""
        return await self._writer.write(
            partial(_delete, account_id=account_id, reason=reason, now=now), is_in_line=True
        )

    async def expired(self, now: float, limit: int) -> list[Account]:
        """Accounts whose life is over, or the grace period after their deletion, oldest first."""
        return [rows.account(row) for row in await self._reader.rows(sql.EXPIRED_ACCOUNTS, (now, now, limit))]

    async def feedback(self, app_id: str, environment: Environment, before: int | None, limit: int) -> list[Feedback]:
        """What users said on leaving, newest first, before the feedback of that number."""
        parameters = (app_id, environment.value, _LAST if before is None else before, limit)
        return [rows.feedback(row) for row in await self._reader.rows(sql.FEEDBACK, parameters)]

    async def forget_sessions(self, before: float, limit: int) -> int:
        """Delete sessions that ended before then."""
        return await self._writer.write(partial(_forget_sessions, before=before, limit=limit))


def _forget_sessions(cursor: Cursor, before: float, limit: int) -> int:
    found = cursor.execute(sql.ENDED_SESSIONS, (before, limit)).fetchall()
    for number, account_id, active_at in found:
        cursor.execute(sql.KEEP_LAST_ACTIVE, (active_at, account_id, active_at))
        cursor.execute(sql.FORGET_SESSION, (number,))
    return len(found)


def _register(
    cursor: Cursor,
    jid: str,
    decide: Callable[[Standing], Registration],
    assertion: AssertionUse | None,
    retry: RetryKey | None,
) -> Registration:
    if (
        assertion is not None
        and cursor.execute(sql.ADD_ASSERTION_USE, (assertion.hash, assertion.expires_at)).rowcount == 0
    ):
        raise RegistrationUnverified("The identity assertion was used before", details={"reason": "used"})
    standing = _standing(cursor, jid)
    if retry is not None:
        standing = replace(standing, earlier=_earlier(cursor, retry))
    registration = decide(standing)
    if standing.account is None:
        registration = _add_account(cursor, registration)
    else:
        _change_account(cursor, standing.account, registration)
    if registration.is_repeat:
        _renew_session(cursor, registration)
    else:
        _add_session(cursor, registration)
        if retry is not None:
            _keep(cursor, retry, registration)
    record(cursor, audit.of_registration(registration, is_new=standing.account is None))
    if assertion is not None:
        cursor.execute(sql.FORGET_ASSERTION_USES, (registration.session.created_at,))
    return registration


def _standing(cursor: Cursor, jid: str) -> Standing:
    row = cursor.execute(sql.STANDING, (jid, domain_of(jid))).fetchone()
    if row is None:
        return Standing(None, (), 0, has_name=False)
    population, has_name, account_id = row[:3]
    if account_id is None:
        return Standing(None, (), population, has_name=False)
    sessions = tuple(rows.session(live) for live in cursor.execute(sql.LIVE_SESSIONS, (account_id,)))
    return Standing(rows.account(row[2:]), sessions, population, bool(has_name))


def _add_account(cursor: Cursor, registration: Registration) -> Registration:
    """Insert the account; returns the registration with the account's number in all its places."""
    draft, session = registration.account, registration.session
    cursor.execute(sql.ADD_ACCOUNT, rows.account_row(draft))
    account_id = new_row(cursor)
    cursor.execute(sql.COUNT_ACCOUNT, (1, domain_of(draft.jid)))
    account = Account(
        account_id,
        draft.app_id,
        draft.environment,
        draft.identifier,
        draft.jid,
        draft.salt,
        draft.iterations,
        draft.metadata,
        draft.is_blocked,
        draft.created_at,
        draft.expires_at,
    )
    keep_terms(cursor, account.jid, account_id, "account", frozenset(), account_terms(account))
    first = Session(session.id, account_id, session.via, session.device, session.created_at, session.last_active_at)
    return Registration(account, first, registration.verifiers, registration.tokens, registration.ended)


def _change_account(cursor: Cursor, before: Account, registration: Registration) -> None:
    """Write new metadata, and end the sessions that make room."""
    metadata = rows.metadata_text(registration.account.metadata)
    if metadata != rows.metadata_text(before.metadata):  # as text, where 1, 1.0 and true are three values
        cursor.execute(sql.SET_METADATA, (metadata, before.id))
        _keep_terms(cursor, before, registration.account)
    for session_id in registration.ended:
        reason = registration.end_reason(session_id)
        close_sessions(cursor, before.id, (session_id,), reason, registration.session.created_at)


def _earlier(cursor: Cursor, retry: RetryKey) -> Earlier | None:
    row = cursor.execute(sql.REGISTRATION_KEY, (retry.hash,)).fetchone()
    return None if row is None else Earlier(*row)


def _keep(cursor: Cursor, retry: RetryKey, registration: Registration) -> None:
    """Remember a registration that can be repeated, and forget those that no longer can."""
    cursor.execute(sql.FORGET_REGISTRATION_KEYS, (registration.session.created_at,))
    cursor.execute(sql.ADD_REGISTRATION_KEY, (retry.hash, registration.session.id, retry.fingerprint, retry.expires_at))


def _renew_session(cursor: Cursor, registration: Registration) -> None:
    """Give a session another password and other tokens."""
    verifiers = rows.verifiers_row(registration.verifiers)
    (number,) = cursor.execute(sql.RENEW_SESSION, (*verifiers, registration.session.id)).fetchone()
    cursor.execute(sql.DELETE_TOKENS, (number,))
    cursor.execute(sql.DELETE_FAST_TOKENS, (number,))
    cursor.executemany(sql.ADD_TOKEN, [rows.token_row(token, number) for token in registration.tokens])


def _add_session(cursor: Cursor, registration: Registration) -> None:
    row = rows.session_row(registration.session, registration.account.id, registration.verifiers)
    cursor.execute(sql.ADD_SESSION, row)
    number = new_row(cursor)
    cursor.executemany(sql.ADD_TOKEN, [rows.token_row(token, number) for token in registration.tokens])


def _change(
    cursor: Cursor, jid: str, now: float, decide: Callable[[Account], AccountChange]
) -> tuple[AccountChange, list[str]]:
    row = cursor.execute(sql.ACCOUNT_BY_JID, (jid,)).fetchone()
    if row is None:
        raise AccountNotFound
    before = rows.account(row)
    change = decide(before)
    after = rows.changed_account_row(change.account)
    if after != rows.changed_account_row(before):  # as text, where 1, 1.0 and true are three values
        cursor.execute(sql.SET_ACCOUNT, after)
        _keep_terms(cursor, before, change.account)
        record(cursor, audit.of_account(before, change, now))
    if (change.account.is_blocked, change.account.is_deleted) != (before.is_blocked, before.is_deleted):
        cursor.execute(sql.MARK_PROFILE, (next_mark(cursor, jid), before.id))
    if change.feedback is not None:
        said = (change.feedback.reason, change.feedback.feedback, change.feedback.created_at)
        cursor.execute(sql.ADD_FEEDBACK, (before.app_id, before.environment.value, before.id, *said))
    if change.ends is None:
        return change, []
    live = [session_id for (session_id,) in cursor.execute(sql.LIVE_SESSION_IDS, (before.id,))]
    return change, end_sessions(cursor, before.id, live, change.ends, now)


def _keep_terms(cursor: Cursor, before: Account, after: Account) -> None:
    keep_terms(cursor, before.jid, before.id, "account", account_terms(before), account_terms(after))


def _delete(cursor: Cursor, account_id: int, reason: EndReason, now: float) -> list[RosterChange]:
    """Delete the account's row and, with it by foreign keys, all rows that refer to it."""
    row = cursor.execute(sql.ACCOUNT_BY_ID, (account_id,)).fetchone()
    if row is None:
        return []
    account = rows.account(row)
    live = [session_id for (session_id,) in cursor.execute(sql.LIVE_SESSION_IDS, (account_id,))]
    record(cursor, audit.of_deletion(account, live, reason, now))
    jid = account.jid
    owners = [owner for (owner,) in cursor.execute(sql.OWNERS_OF_CONTACT, (jid, account_id))]
    cursor.execute(sql.DELETE_CONTACT, (jid,))
    delete_archive(cursor, account_id)
    cursor.execute(sql.DELETE_ACCOUNT, (account_id,))
    cursor.execute(sql.COUNT_ACCOUNT, (-1, domain_of(jid)))
    return [RosterChange(owner, jid, None, version=next_version(cursor, owner), is_deletion=True) for owner in owners]
