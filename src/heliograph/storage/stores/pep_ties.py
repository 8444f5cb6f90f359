"""Who is subscribed to nodes of personal eventing, or named by their owners."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from heliograph.core.pep_ties import Found, Tie
from heliograph.errors import AccountNotFound
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer

Decision = Callable[[Found], Tie]


class SqlPepTies:
    """The adapter of `PepTieStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def of_node(self, owner: str, name: str) -> list[Tie]:
        """All ties to a node, by the account."""
        return [rows.pep_tie(row) for row in await self._reader.rows(sql.PEP_TIES_OF_NODE, (owner, name))]

    async def of_account(self, account: str) -> list[Tie]:
        """All ties of an account, by owner and node."""
        return [rows.pep_tie(row) for row in await self._reader.rows(sql.PEP_TIES_OF_ACCOUNT, (account,))]

    async def change(self, owner: str, name: str, account: str, decide: Decision) -> Tie:
        """One atomic change; `AccountNotFound`, and whatever `decide` raises."""
        work = partial(_change, owner=owner, name=name, account=account, decide=decide)
        return await self._writer.write(work, (owner, account))


def _change(cursor: Cursor, owner: str, name: str, account: str, decide: Decision) -> Tie:
    ids = dict(cursor.execute(sql.ACCOUNT_IDS, (owner, account)))
    if owner not in ids or account not in ids:
        raise AccountNotFound
    node = cursor.execute(sql.PEP_NODE_TO_CHANGE, (ids[owner], name)).fetchone()
    number = None if node is None else node[0]
    config = None if node is None else rows.pep_config(node[1])
    row = cursor.execute(sql.PEP_TIE, (number, ids[account])).fetchone()
    before = Tie(owner, name, account) if row is None else rows.pep_tie((owner, name, account, *row))
    counts = cursor.execute(sql.PEP_TIE_COUNTS, (number, ids[account])).fetchone()
    after = decide(Found(config, before, *counts))
    if after.is_empty:
        cursor.execute(sql.DELETE_PEP_TIE, (number, ids[account]))
    elif after != before:
        values = (number, ids[account], after.affiliation.value, rows.pep_subscriptions_text(after))
        cursor.execute(sql.PUT_PEP_TIE, values)
    return after
