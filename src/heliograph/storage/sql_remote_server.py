"""The queries around an XMPP server outside the process."""

from __future__ import annotations

ADD_SIGN_IN = "INSERT INTO sign_ins (account_id, session_id, at) SELECT id, ?, ? FROM accounts WHERE jid = ?"
FORGET_SIGN_INS = """
DELETE FROM sign_ins WHERE account_id = (SELECT id FROM accounts WHERE jid = ?) AND number <= (
  SELECT number FROM sign_ins WHERE account_id = (SELECT id FROM accounts WHERE jid = ?)
  ORDER BY number DESC LIMIT 1 OFFSET ?)
"""
SIGN_INS = """
SELECT number, session_id, at, resource, bound_at FROM sign_ins
WHERE account_id = (SELECT id FROM accounts WHERE jid = ?) ORDER BY number
"""
CLAIM = "UPDATE sign_ins SET resource = ?, bound_at = ? WHERE number = ? AND resource IS NULL RETURNING account_id"
TAKE_FROM_OTHERS = "DELETE FROM sign_ins WHERE account_id = ? AND resource = ? AND number <> ?"

TOLD = "SELECT roster_version, blocked FROM told WHERE account_id = (SELECT id FROM accounts WHERE jid = ?)"
TELL = """
INSERT INTO told (account_id, roster_version, blocked) SELECT id, ?, ? FROM accounts WHERE jid = ?
ON CONFLICT (account_id) DO UPDATE SET roster_version = excluded.roster_version, blocked = excluded.blocked
"""
UNTOLD = """
SELECT a.id, a.jid FROM accounts a LEFT JOIN told t ON t.account_id = a.id
WHERE a.id > ? AND (a.roster_version <> COALESCE(t.roster_version, 0) OR COALESCE(t.blocked, '[]') <> '[]'
  OR EXISTS (SELECT 1 FROM blocks b WHERE b.owner_id = a.id))
ORDER BY a.id LIMIT ?
"""

MARKS = "SELECT domain, mark FROM domains"
