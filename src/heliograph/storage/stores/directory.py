"""Who is found by what."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from heliograph.core.accounts import Account
from heliograph.core.directory import Entry, Found, Query, Span, Term, account_terms, profile_terms
from heliograph.core.user_jids import domain_of
from heliograph.storage import rows, sql, sql_directory
from heliograph.storage.database import Cursor, Reader, Writer


class SqlDirectory:
    """The adapter of `Directory`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def search(self, query: Query) -> Found:
        """Those whom a viewer finds, in the order of the terms that found them; the profiles are whole."""
        viewer, domain = query.viewer, domain_of(query.viewer)
        parameters: list[object] = [value for span in query.spans for value in (domain, span.low, span.high)]
        parameters += [viewer, viewer, query.now, viewer, domain, viewer, domain]
        parameters += [value for term in query.required for value in (domain, term)]
        statement = sql_directory.matches(len(query.spans), len(query.required))
        found = sorted((bytes(term), number) for term, number in await self._reader.rows(statement, parameters))
        numbers = [*dict.fromkeys(number for _, number in found)]
        wanted = numbers[query.offset : query.offset + query.limit]
        entries = [await self._reader.row(sql_directory.ENTRY, (viewer, number)) for number in wanted]
        return Found(tuple(_entry(row) for row in entries if row is not None), len(numbers))

    async def page(self, domain: str, identifiers: Span, limit: int) -> list[Account]:
        """The accounts of a domain in the order of their identifiers."""
        found = await self._reader.rows(sql_directory.PAGE, (domain, *identifiers, limit))
        return [rows.account(row) for row in found]

    async def fill_in(self, limit: int) -> int:
        """Add what is missing of accounts that were stored before there was a directory, the newest first; gives how
        many were looked at.
        """
        found = await self._reader.rows(sql_directory.BACKLOG, (limit,))
        numbers = [number for number, _ in found]
        if numbers:
            work = partial(_fill_in, numbers=numbers, is_last=len(numbers) < limit)
            await self._writer.write(work, [jid for _, jid in found])
        return len(numbers)


def _entry(row: rows.Row) -> Entry:
    *profile, metadata, is_contact = row
    return Entry(rows.profile(tuple(profile)), rows.metadata(metadata), bool(is_contact))


def _fill_in(cursor: Cursor, numbers: Sequence[int], *, is_last: bool) -> None:
    for number in numbers:
        row = cursor.execute(sql.ACCOUNT_BY_ID, (number,)).fetchone()
        if row is None:
            continue  # deleted meanwhile
        account = rows.account(row)
        profile = rows.profile(cursor.execute(sql_directory.PROFILE_TO_FILL_IN, (number,)).fetchone())
        domain = domain_of(account.jid)
        for source, terms in (("account", account_terms(account)), ("profile", profile_terms(profile))):
            for term in terms:
                known = (domain, term.term, number, term.audience.value, source)
                cursor.execute(sql_directory.FILL_IN_TERM, known)
    if is_last:
        cursor.execute(sql_directory.ALL_FILLED_IN)
    else:
        cursor.execute(sql_directory.FILLED_IN, (min(numbers) - 1, min(numbers) - 1))


def keep_terms(
    cursor: Cursor, jid: str, account_id: int, source: str, before: AbstractSet[Term], after: AbstractSet[Term]
) -> None:
    """Bring the directory from one set of a user's terms to another, inside the transaction of the change itself.

    Args:
        cursor: of that transaction.
        jid: the user's bare JID.
        account_id: the number of the account.
        source: what the terms are made of: `account` or `profile`.
        before: the terms that were.
        after: those that are.
    """
    domain = domain_of(jid)
    for term in before - after:
        cursor.execute(sql_directory.DELETE_TERM, (domain, term.term, account_id))
    for term in after - before:
        cursor.execute(sql_directory.ADD_TERM, (domain, term.term, account_id, term.audience.value, source))
