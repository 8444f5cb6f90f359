"""The queries of the audit trail and of the webhooks; all else is as in `sql`."""

# ruff: noqa: S608 - put together from the constants of this module alone

from __future__ import annotations

ENTRY = "e.number, e.at, e.kind, e.app_id, e.environment, e.jid, e.session_id, e.facts, e.hash"
WEBHOOK = (
    "w.id, w.app_id, w.environment, w.url, w.kinds, w.created_at, w.waiting, w.dropped, "
    "(SELECT COUNT(*) FROM webhook_messages d WHERE d.webhook_id = w.id AND d.is_dead = 1)"
)
MESSAGE = "m.id, m.webhook_id, m.kind, m.body, m.created_at, m.attempts, m.due_at, m.problem"

# ------------------------------------------------------------------------------------------------------- audit trail
OWNER = "SELECT app_id, environment, jid FROM accounts WHERE id = ?"
HEAD = "SELECT number, hash FROM audit_heads WHERE app_id = ?"
HEADS = "SELECT app_id, number FROM audit_heads"
ANCHOR = "SELECT kept_after, anchor FROM audit_heads WHERE app_id = ? AND kept_after > 0"
SET_ANCHOR = "UPDATE audit_heads SET kept_after = ?, anchor = ? WHERE app_id = ?"
CHAINS_WITH_OLD = (
    "SELECT h.app_id FROM audit_heads h JOIN audit e ON e.app_id = h.app_id AND e.number = h.kept_after + 1 "
    "WHERE e.at < ?"
)
FIRST_ENTRIES = "SELECT number, hash, at FROM audit WHERE app_id = ? ORDER BY number LIMIT ?"
FORGET_ENTRIES = "DELETE FROM audit WHERE app_id = ? AND number <= ?"
HEAD_TO_EXTEND = (
    "INSERT INTO audit_heads (app_id, number, hash) VALUES (?, ?, ?) "
    "ON CONFLICT (app_id) DO UPDATE SET number = audit_heads.number RETURNING number, hash"
)
"""The head, and nobody else extends the chain until this transaction is over."""
SET_HEAD = "UPDATE audit_heads SET number = ?, hash = ? WHERE app_id = ?"
ADD_ENTRY = (
    "INSERT INTO audit (number, at, kind, app_id, environment, jid, session_id, facts, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CHAIN = f"SELECT {ENTRY} FROM audit e WHERE e.app_id = ? AND e.number > ? ORDER BY e.number LIMIT ?"
ENTRIES_OF_USER = (
    f"SELECT {ENTRY} FROM audit e WHERE e.jid = ? AND e.at >= ? AND e.number < ? ORDER BY e.number DESC LIMIT ?"
)
ENTRIES_OF_APP = (
    f"SELECT {ENTRY} FROM audit e WHERE e.app_id = ? AND e.environment = ? AND e.number < ? "
    "ORDER BY e.number DESC LIMIT ?"
)

# ---------------------------------------------------------------------------------------------------------- webhooks
COUNT_WEBHOOKS = "SELECT COUNT(*) FROM webhooks WHERE app_id = ?"
ADD_WEBHOOK = (
    "INSERT INTO webhooks (id, app_id, environment, url, kinds, created_at, secret) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
WEBHOOKS = f"SELECT {WEBHOOK} FROM webhooks w ORDER BY w.created_at, w.id"
WEBHOOK_SECRET = "SELECT secret FROM webhooks WHERE id = ?"
WEBHOOKS_THAT_WANT = "SELECT id, kinds FROM webhooks WHERE app_id = ? AND environment = ?"
DELETE_WEBHOOK = "DELETE FROM webhooks WHERE id = ?"
TAKE_PLACE = "UPDATE webhooks SET waiting = waiting + 1 WHERE id = ? AND waiting < ?"
COUNT_DROPPED = "UPDATE webhooks SET dropped = dropped + 1 WHERE id = ?"
FREE_PLACES = "UPDATE webhooks SET waiting = waiting - ? WHERE id = ?"

ADD_MESSAGE = (
    "INSERT INTO webhook_messages (id, webhook_id, kind, body, created_at, attempts, due_at, problem, is_dead) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
IS_ANY_DUE = "SELECT 1 FROM webhook_messages WHERE is_dead = 0 AND due_at <= ? LIMIT 1"
WEBHOOKS_WITH_DUE = (
    f"SELECT {WEBHOOK}, w.secret FROM webhooks w WHERE w.id IN "
    "(SELECT DISTINCT webhook_id FROM webhook_messages WHERE is_dead = 0 AND due_at <= ?)"
)
IN_LINE = (
    f"SELECT {MESSAGE} FROM webhook_messages m WHERE m.webhook_id = ? AND m.is_dead = 0 "
    "AND (m.due_at <= ? OR m.attempts <= ?) ORDER BY m.number LIMIT ?"
)
LEASE_MESSAGE = "UPDATE webhook_messages SET due_at = ? WHERE id = ?"
DELETE_MESSAGE = "DELETE FROM webhook_messages WHERE id = ? AND is_dead = 0 RETURNING webhook_id"
RETRY_MESSAGE = "UPDATE webhook_messages SET attempts = ?, due_at = ?, problem = ? WHERE id = ? AND is_dead = 0"
BURY_MESSAGE = (
    "UPDATE webhook_messages SET attempts = ?, problem = ?, is_dead = 1 WHERE id = ? AND is_dead = 0 "
    "RETURNING webhook_id"
)
FORGET_DEAD = (
    "DELETE FROM webhook_messages WHERE webhook_id = ? AND is_dead = 1 AND number <= (SELECT number "
    "FROM webhook_messages WHERE webhook_id = ? AND is_dead = 1 ORDER BY number DESC LIMIT 1 OFFSET ?)"
)
DEAD_MESSAGES = (
    f"SELECT {MESSAGE} FROM webhook_messages m WHERE m.webhook_id = ? AND m.is_dead = 1 ORDER BY m.number LIMIT ?"
)
REPLAY_MESSAGES = (
    "UPDATE webhook_messages SET is_dead = 0, attempts = 0, due_at = ?, problem = '' "
    "WHERE webhook_id = ? AND is_dead = 1"
)
REPLAY_MESSAGE = f"{REPLAY_MESSAGES} AND id = ?"
