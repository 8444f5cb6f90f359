"""Nodes of personal eventing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from heliograph.core.pep_nodes import Found, Item, Node, Outcome
from heliograph.errors import AccountNotFound
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer, new_row

Decision = Callable[[Found], Outcome]


class SqlPep:
    """The adapter of `PepStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def nodes(self, owner: str) -> list[Node]:
        """All nodes of an account by name."""
        return [rows.pep_node(row) for row in await self._reader.rows(sql.PEP_NODES, (owner,))]

    async def lookup(self, owner: str, name: str) -> Node | None:
        """One node."""
        row = await self._reader.row(sql.PEP_NODE, (owner, name))
        return None if row is None else rows.pep_node(row)

    async def items(self, owner: str, name: str) -> list[Item]:
        """All items of a node, oldest first."""
        return [Item(*row) for row in await self._reader.rows(sql.PEP_ITEMS, (owner, name))]

    async def latest(self, owner: str, name: str) -> Item | None:
        """The newest item of a node."""
        row = await self._reader.row(sql.LATEST_PEP_ITEM, (owner, name))
        return None if row is None else Item(*row)

    async def nodes_of_contacts(self, jid: str) -> list[Node]:
        """All nodes of all whom this user is subscribed to (`to` or `both`)."""
        return [rows.pep_node(row) for row in await self._reader.rows(sql.PEP_NODES_OF_CONTACTS, (jid,))]

    async def change(self, owner: str, name: str, decide: Decision) -> Outcome:
        """One atomic change; `AccountNotFound`, and whatever `decide` raises."""
        return await self._writer.write(partial(_change, owner=owner, name=name, decide=decide), (owner,))


def _change(cursor: Cursor, owner: str, name: str, decide: Decision) -> Outcome:
    account = cursor.execute(sql.ACCOUNT_IDS, (owner, owner)).fetchone()
    if account is None:
        raise AccountNotFound
    node = cursor.execute(sql.PEP_NODE_TO_CHANGE, (account[1], name)).fetchone()
    number = None if node is None else node[0]
    before = None if node is None else rows.pep_config(node[1])
    sizes = dict(cursor.execute(sql.PEP_ITEM_SIZES, (number,)))
    count, total = cursor.execute(sql.PEP_USAGE, (account[1], account[1])).fetchone()
    outcome = decide(Found(before, sizes, total, count))
    if outcome.config is None:
        cursor.execute(sql.DELETE_PEP_NODE, (number,))
        return outcome
    if number is None:
        cursor.execute(sql.ADD_PEP_NODE, (account[1], name, rows.pep_config_text(outcome.config)))
        number = new_row(cursor)
    elif outcome.config != before:
        cursor.execute(sql.SET_PEP_CONFIG, (rows.pep_config_text(outcome.config), number))
    cursor.executemany(sql.DELETE_PEP_ITEM, [(number, item_id) for item_id in outcome.removed])
    if (item := outcome.put) is not None:
        cursor.execute(sql.PUT_PEP_ITEM, (number, item.id, item.payload, item.size, number))
    return outcome
