"""The queries of message archives, in the SQL that SQLite and PostgreSQL share; see `sql`."""

# ruff: noqa: S608 - put together from the constants of this module alone

from __future__ import annotations

_MESSAGE = "m.number, m.token, m.sender_id, m.receiver_id, m.sender, m.receiver, m.data"
_SELECTED = "WHERE r.owner_id = ? AND r.number > ? AND r.number < ?"
_CONTACTS = {
    "": "",
    "id": "AND r.contact_id = ?",
    "bare": "AND (m.sender = ? OR m.receiver = ? OR (m.sender > ? AND m.sender < ?) "
    "OR (m.receiver > ? AND m.receiver < ?))",
    "full": "AND (m.sender = ? OR m.receiver = ?)",
}
"""How the other side is compared: not at all, by its account, by its bare JID, by its full JID."""

ADD = (
    "INSERT INTO archived_messages (number, token, sender_id, receiver_id, size, sender, receiver, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
# In the order of the table: a third of the cost of a statement for each row, in the order in which messages come.
ADD_PLACES = (
    "INSERT INTO archives (owner_id, number, contact_id, size) "
    "SELECT sender_id, number, COALESCE(receiver_id, sender_id), size FROM archived_messages "
    "WHERE number BETWEEN ? AND ? AND sender_id IS NOT NULL UNION ALL "
    "SELECT receiver_id, number, COALESCE(sender_id, receiver_id), size FROM archived_messages "
    "WHERE number BETWEEN ? AND ? AND receiver_id IS NOT NULL ORDER BY 1, 2 ON CONFLICT DO NOTHING"
)
FIND = f"SELECT {_MESSAGE} FROM archives r JOIN archived_messages m ON m.number = r.number {_SELECTED}"
NEWEST = "SELECT COALESCE(MAX(number), 0) FROM archived_messages"
USAGE = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM archives WHERE owner_id = ?"
SIZES = "SELECT number, size FROM archives WHERE owner_id = ? ORDER BY number"

# Of an archive up to a number: the messages that no other archive has, its place in the others, and its own places.
_PLACES = "(SELECT number FROM archives WHERE owner_id = ? AND number <= ?)"
FORGET_ARCHIVE = (
    f"DELETE FROM archived_messages WHERE number IN {_PLACES} AND (sender_id IS NULL OR receiver_id IS NULL)",
    (
        "UPDATE archived_messages SET sender_id = CASE WHEN sender_id = r.owner_id THEN NULL ELSE sender_id END, "
        "receiver_id = CASE WHEN receiver_id = r.owner_id THEN NULL ELSE receiver_id END "
        "FROM archives r WHERE r.owner_id = ? AND r.number <= ? AND archived_messages.number = r.number"
    ),
    "DELETE FROM archives WHERE owner_id = ? AND number <= ?",
)

OLD = "SELECT number, sender_id, receiver_id FROM archived_messages WHERE number < ? ORDER BY number LIMIT ?"
FORGET_PLACE = "DELETE FROM archives WHERE owner_id = ? AND number = ?"
FORGET = "DELETE FROM archived_messages WHERE number = ?"


def page(contact: str, *, is_backwards: bool) -> str:
    """The query for a page of an archive.

    Args:
        contact: `""`, `id`, `bare` or `full`.
        is_backwards: whether it is counted from the end.
    """
    order = "DESC" if is_backwards else "ASC"
    return f"{FIND} {_CONTACTS[contact]} ORDER BY r.number {order} LIMIT ?"


def count(contact: str) -> str:
    """The query for the number of messages that are selected."""
    messages = "" if contact in ("", "id") else "JOIN archived_messages m ON m.number = r.number"
    return f"SELECT COUNT(*) FROM archives r {messages} {_SELECTED} {_CONTACTS[contact]}"
