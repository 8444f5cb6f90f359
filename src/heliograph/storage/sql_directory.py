"""The queries of the directory, once for all databases; see `sql`."""

# ruff: noqa: S608 - put together from the constants of these modules alone

from __future__ import annotations

from heliograph.core import limits
from heliograph.storage.sql import ACCOUNT, PROFILE

ADD_TERM = "INSERT INTO directory (domain, term, account_id, audience, source) VALUES (?, ?, ?, ?, ?)"
DELETE_TERM = "DELETE FROM directory WHERE domain = ? AND term = ? AND account_id = ?"

BACKLOG = (
    "SELECT a.id, a.jid FROM directory_backlog b JOIN accounts a ON a.id <= b.account_id ORDER BY a.id DESC LIMIT ?"
)
FILLED_IN = "UPDATE directory_backlog SET account_id = ? WHERE account_id > ?"
ALL_FILLED_IN = "DELETE FROM directory_backlog"
FILL_IN_TERM = f"{ADD_TERM} ON CONFLICT DO NOTHING"
PROFILE_TO_FILL_IN = f"SELECT {PROFILE} FROM accounts a LEFT JOIN profiles p ON p.account_id = a.id WHERE a.id = ?"

PAGE = (
    f"SELECT {ACCOUNT} FROM directory d JOIN accounts a ON a.id = d.account_id "
    "WHERE d.domain = ? AND d.term >= ? AND d.term < ? ORDER BY d.term LIMIT ?"
)
ENTRY = (
    f"SELECT {PROFILE}, a.metadata, EXISTS (SELECT 1 FROM rosters r WHERE r.owner_id = a.id AND r.contact = ? "
    "AND r.subscription IN ('from', 'both')) FROM accounts a LEFT JOIN profiles p ON p.account_id = a.id WHERE a.id = ?"
)

_SPAN = (
    "SELECT * FROM (SELECT d.account_id, d.term, d.audience FROM directory d WHERE d.domain = ? AND d.term >= ? "
    f"AND d.term < ? ORDER BY d.term LIMIT {limits.SEARCH_SCAN_MAX}) AS span{{number}}"
)
_REQUIRED = " AND EXISTS (SELECT 1 FROM directory x WHERE x.domain = ? AND x.term = ? AND x.account_id = a.id)"


def matches(spans: int, required: int) -> str:
    """The accounts that a viewer finds, each with the terms that found it.

    Its parameters are, for each span, the domain and both ends; the viewer's JID twice; the time; the viewer's JID and
    the domain twice; and for each required term the domain and the term.
    """
    found = " UNION ALL ".join(_SPAN.format(number=number) for number in range(spans))
    return (
        f"SELECT m.term, a.id FROM ({found}) AS m JOIN accounts a ON a.id = m.account_id "
        "WHERE a.deleted_at IS NULL AND a.jid <> ? AND (m.audience = 'everyone' OR EXISTS (SELECT 1 FROM rosters r "
        "WHERE r.owner_id = a.id AND r.contact = ? AND r.subscription IN ('from', 'both'))) "
        "AND (a.expires_at IS NULL OR a.expires_at > ?) "
        "AND NOT EXISTS (SELECT 1 FROM accounts v JOIN blocks b ON b.owner_id = v.id WHERE v.jid = ? "
        "AND b.blocked IN (a.jid, ?)) "
        "AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.owner_id = a.id AND b.blocked IN (?, ?))" + _REQUIRED * required
    )
