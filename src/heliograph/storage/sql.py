"""Every query of the stores, once, in the SQL that SQLite and PostgreSQL share.

Parameters are written `?`; an adapter whose driver numbers them translates. An adapter whose driver does not tell the
number of a new row appends `RETURNING` to `ADD_ACCOUNT`, `ADD_SESSION` and `ADD_PEP_NODE`. Column lists stand in the
order in which `rows` reads them. The tables are in `migrations`.
"""

# ruff: noqa: S608 - put together from the constants of this module alone

from __future__ import annotations

# ------------------------------------------------------------------------------------------------------ column lists
APP = "p.id, p.name, live.domain, sandbox.domain, p.assertion_key, p.created_at, p.policy"
APP_KEY = "k.hash, k.app_id, k.kind, k.environment, k.publishable, k.created_at, k.expires_at"
ACCOUNT = (
    "a.id, a.jid, a.app_id, a.environment, a.salt, a.iterations, a.metadata, a.is_blocked, a.created_at, a.expires_at, "
    "a.max_sessions, a.deleted_at, a.purge_at"
)
SESSION = "s.id, s.account_id, s.via, s.device, s.browser, s.os, s.ip, s.created_at, s.last_active_at"
VERIFIERS = "s.stored_sha1, s.server_sha1, s.stored_sha256, s.server_sha256, s.password_sha256"
TOKEN = "t.hash, t.kind, s.id, t.expires_at, t.superseded_at, t.pair"
PROFILE = (
    "a.jid, p.version, p.name, p.image, p.thumb_image, p.status, p.mobile, p.email, p.vcard_extra, p.visibility, "
    "a.is_blocked, p.updated_at, p.mark"
)
ITEM = (
    "r.contact, r.subscription, r.name, r.group_names, r.is_pending_out, r.is_pending_in, r.is_approved, r.is_listed, "
    "r.request, r.mark"
)
INVITATION = "i.id, o.jid, i.created_at, i.expires_at, i.max_uses, i.uses"

# -------------------------------------------------------------------------------------------------------------- apps
_APPS = (
    "FROM apps p JOIN domains live ON live.app_id = p.id AND live.environment = 'live' "
    "JOIN domains sandbox ON sandbox.app_id = p.id AND sandbox.environment = 'sandbox'"
)
APP_BY_ID = f"SELECT {APP} {_APPS} WHERE p.id = ?"
APP_BY_KEY = f"SELECT {APP}, {APP_KEY} {_APPS} JOIN app_keys k ON k.app_id = p.id WHERE k.hash = ?"
APP_BY_DOMAIN = f"SELECT {APP}, d.environment {_APPS} JOIN domains d ON d.app_id = p.id WHERE d.domain = ?"
APPS = f"SELECT {APP} {_APPS} ORDER BY p.created_at, p.id"
APP_KEYS = f"SELECT {APP_KEY} FROM app_keys k ORDER BY k.app_id, k.environment, k.kind, k.created_at"
ADD_APP = "INSERT INTO apps (id, name, assertion_key, created_at, policy) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
ADD_DOMAIN = "INSERT INTO domains (domain, app_id, environment) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
ADD_APP_KEY = (
    "INSERT INTO app_keys (hash, app_id, kind, environment, publishable, created_at, expires_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
EXPIRE_APP_KEYS = (
    "UPDATE app_keys SET expires_at = ? WHERE app_id = ? AND kind = ? AND environment = ? "
    "AND (expires_at IS NULL OR expires_at > ?)"
)
FORGET_APP_KEYS = "DELETE FROM app_keys WHERE app_id = ? AND expires_at <= ?"
SET_ASSERTION_KEY = "UPDATE apps SET assertion_key = ? WHERE id = ?"
SET_POLICY = "UPDATE apps SET policy = ? WHERE id = ?"

# ---------------------------------------------------------------------------------------------------------- accounts
ACCOUNT_BY_JID = f"SELECT {ACCOUNT} FROM accounts a WHERE a.jid = ?"
ACCOUNT_BY_ID = f"SELECT {ACCOUNT} FROM accounts a WHERE a.id = ?"
IS_ACCOUNT = "SELECT 1 FROM accounts WHERE jid = ? AND deleted_at IS NULL"
ACCOUNT_IDS = "SELECT jid, id FROM accounts WHERE jid IN (?, ?)"
STANDING = (
    f"SELECT d.accounts, p.has_name, {ACCOUNT} FROM domains d LEFT JOIN accounts a ON a.jid = ? "
    "LEFT JOIN profiles p ON p.account_id = a.id WHERE d.domain = ?"
)
ADD_ACCOUNT = (
    "INSERT INTO accounts (jid, app_id, environment, salt, iterations, metadata, is_blocked, created_at, expires_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
COUNT_ACCOUNT = "UPDATE domains SET accounts = accounts + ? WHERE domain = ?"
SET_METADATA = "UPDATE accounts SET metadata = ? WHERE id = ?"
SET_ACCOUNT = (
    "UPDATE accounts SET metadata = ?, is_blocked = ?, max_sessions = ?, deleted_at = ?, purge_at = ? WHERE id = ?"
)
DELETE_ACCOUNT = "DELETE FROM accounts WHERE id = ?"
EXPIRED_ACCOUNTS = (
    f"SELECT {ACCOUNT} FROM accounts a WHERE a.id IN (SELECT id FROM accounts WHERE expires_at <= ? "
    "UNION SELECT id FROM accounts WHERE purge_at <= ?) ORDER BY COALESCE(a.purge_at, a.expires_at), a.id LIMIT ?"
)
ADD_FEEDBACK = (
    "INSERT INTO deletion_feedback (app_id, environment, account_id, reason, feedback, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
FEEDBACK = (
    "SELECT f.number, a.jid, f.reason, f.feedback, f.created_at FROM deletion_feedback f "
    "LEFT JOIN accounts a ON a.id = f.account_id WHERE f.app_id = ? AND f.environment = ? AND f.number < ? "
    "ORDER BY f.number DESC LIMIT ?"
)
ADD_ASSERTION_USE = "INSERT INTO assertion_uses (hash, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING"
REGISTRATION_KEY = "SELECT session, fingerprint FROM registration_keys WHERE hash = ?"
ADD_REGISTRATION_KEY = "INSERT INTO registration_keys (hash, session, fingerprint, expires_at) VALUES (?, ?, ?, ?)"
FORGET_REGISTRATION_KEYS = "DELETE FROM registration_keys WHERE expires_at < ?"
FORGET_ASSERTION_USES = "DELETE FROM assertion_uses WHERE expires_at < ?"

# ---------------------------------------------------------------------------------------------------------- sessions
SESSION_BY_ID = (
    f"SELECT {ACCOUNT}, {SESSION} FROM sessions s JOIN accounts a ON a.id = s.account_id "
    "WHERE s.id = ? AND s.ended_at IS NULL"
)
LIVE_SESSIONS = (
    f"SELECT {SESSION} FROM sessions s WHERE s.account_id = ? AND s.ended_at IS NULL "
    "ORDER BY s.last_active_at, s.number"
)
LIVE_SESSION_IDS = "SELECT id FROM sessions WHERE account_id = ? AND ended_at IS NULL ORDER BY last_active_at, number"
LIVE_SESSION_ACCOUNT = "SELECT account_id FROM sessions WHERE id = ? AND ended_at IS NULL"
LIVE_SESSION_NUMBER = "SELECT number FROM sessions WHERE id = ? AND ended_at IS NULL"
_WITH_VERIFIERS = (
    f"s.id, {VERIFIERS} FROM accounts a "
    "LEFT JOIN sessions s ON s.account_id = a.id AND s.ended_at IS NULL WHERE a.jid = ?"
)
SESSION_VERIFIERS = f"SELECT {ACCOUNT}, {_WITH_VERIFIERS}"
SIGNING_IN_WIDTH = 7
SIGNING_IN = (
    "SELECT a.id, a.salt, a.iterations, a.is_blocked, a.expires_at, a.purge_at, "
    f"EXISTS (SELECT 1 FROM blocks b WHERE b.owner_id = a.id), {_WITH_VERIFIERS}"
)
OWED = (
    "SELECT EXISTS (SELECT 1 FROM profiles p WHERE p.account_id = ? AND p.image <> ''), "
    "EXISTS (SELECT 1 FROM pep_ties t WHERE t.account_id = ?), "
    "EXISTS (SELECT 1 FROM offline_messages m WHERE m.owner_id = ?), "
    "EXISTS (SELECT 1 FROM accounts a WHERE a.id = ? AND a.last_status <> '')"
)
ADD_SESSION = (
    "INSERT INTO sessions (id, account_id, via, device, browser, os, ip, created_at, last_active_at, "
    "stored_sha1, server_sha1, stored_sha256, server_sha256, password_sha256) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
RENEW_SESSION = (
    "UPDATE sessions SET stored_sha1 = ?, server_sha1 = ?, stored_sha256 = ?, server_sha256 = ?, password_sha256 = ? "
    "WHERE id = ? AND ended_at IS NULL RETURNING number"
)
END_SESSION = (
    "UPDATE sessions SET ended_at = ?, end_reason = ?, stored_sha1 = NULL, server_sha1 = NULL, stored_sha256 = NULL, "
    "server_sha256 = NULL, password_sha256 = NULL WHERE id = ? AND account_id = ? AND ended_at IS NULL RETURNING number"
)
IDLE_SESSIONS = (
    f"SELECT {ACCOUNT}, {SESSION} FROM sessions s JOIN accounts a ON a.id = s.account_id "
    "WHERE s.via = ? AND s.ended_at IS NULL AND s.last_active_at < ? ORDER BY s.last_active_at, s.number LIMIT ?"
)
LAST_ACTIVE = (
    "SELECT a.last_status, a.created_at, a.last_active_at, "
    "COALESCE((SELECT MAX(s.last_active_at) FROM sessions s WHERE s.account_id = a.id), 0) "
    "FROM accounts a WHERE a.jid = ? AND a.deleted_at IS NULL"
)
"""The last one is that of sessions which are still kept, the one before that of those which are not."""
ENDED_SESSIONS = "SELECT number, account_id, last_active_at FROM sessions WHERE ended_at < ? ORDER BY ended_at LIMIT ?"
KEEP_LAST_ACTIVE = "UPDATE accounts SET last_active_at = ? WHERE id = ? AND last_active_at < ?"
FORGET_SESSION = "DELETE FROM sessions WHERE number = ?"
LAST_STATUS = "SELECT last_status FROM accounts WHERE jid = ?"
SET_LAST_STATUS = "UPDATE accounts SET last_status = ? WHERE jid = ?"
TOUCH_SESSION = "UPDATE sessions SET last_active_at = ? WHERE id = ? AND last_active_at < ? AND ended_at IS NULL"

# ------------------------------------------------------------------------------------------------------------ tokens
TOKEN_BY_HASH = (
    f"SELECT {ACCOUNT}, {SESSION}, {TOKEN} FROM tokens t JOIN sessions s ON s.number = t.session "
    "JOIN accounts a ON a.id = s.account_id WHERE t.hash = ? AND s.ended_at IS NULL"
)
ADD_TOKEN = "INSERT INTO tokens (hash, session, kind, expires_at, superseded_at, pair) VALUES (?, ?, ?, ?, ?, ?)"
REFRESH_TOKEN = (
    f"SELECT s.number, {TOKEN} FROM tokens t JOIN sessions s ON s.number = t.session "
    "WHERE t.hash = ? AND t.kind = 'refresh' AND s.ended_at IS NULL"
)
SET_TOKEN = "UPDATE tokens SET superseded_at = ?, pair = ? WHERE hash = ?"
SHORTEN_ACCESS_TOKENS = (
    "UPDATE tokens SET expires_at = ? WHERE session = ? AND kind = 'access' AND pair = ? AND expires_at > ?"
)
DELETE_TOKENS = "DELETE FROM tokens WHERE session = ?"
FORGET_EXPIRED_TOKENS = "DELETE FROM tokens WHERE session = ? AND expires_at < ?"
FORGET_OLDEST_TOKENS = (
    "DELETE FROM tokens WHERE session = ? AND kind = ? AND expires_at < (SELECT expires_at FROM tokens "
    "WHERE session = ? AND kind = ? ORDER BY expires_at DESC LIMIT 1 OFFSET ?)"
)

# ------------------------------------------------------------------------------------------------------- FAST tokens
FAST_TOKENS = (
    f"SELECT {ACCOUNT}, s.id, f.record FROM accounts a JOIN sessions s ON s.account_id = a.id AND s.ended_at IS NULL "
    "JOIN fast_tokens f ON f.session = s.number AND f.client = ? WHERE a.jid = ?"
)
FAST_SLOTS = "SELECT record FROM fast_tokens WHERE session = ? AND client = ?"
PUT_FAST_SLOTS = (
    "INSERT INTO fast_tokens (session, client, expires_at, record) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (session, client) DO UPDATE SET expires_at = excluded.expires_at, record = excluded.record"
)
DELETE_FAST_SLOTS = "DELETE FROM fast_tokens WHERE session = ? AND client = ?"
DELETE_FAST_TOKENS = "DELETE FROM fast_tokens WHERE session = ?"
FORGET_OLDEST_FAST_SLOTS = (
    "DELETE FROM fast_tokens WHERE session = ? AND expires_at < (SELECT expires_at FROM fast_tokens "
    "WHERE session = ? ORDER BY expires_at DESC LIMIT 1 OFFSET ?)"
)

# ---------------------------------------------------------------------------------------------------------- QR links
QR_LINK = "SELECT record FROM qr_links WHERE id = ?"
QR_LINK_BY_CODE = "SELECT l.record FROM qr_codes c JOIN qr_links l ON l.id = c.link_id WHERE c.hash = ?"
ADD_QR_LINK = "INSERT INTO qr_links (id, app_id, expires_at, record, unclaimed) VALUES (?, ?, ?, ?, ?)"
SET_QR_LINK = "UPDATE qr_links SET expires_at = ?, record = ?, unclaimed = ? WHERE id = ?"
UNCLAIMED_QR_LINKS = (
    "SELECT id FROM qr_links WHERE unclaimed IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?"
)
EXPIRED_QR_LINKS = "SELECT record FROM qr_links WHERE expires_at < ? ORDER BY expires_at LIMIT ?"
DELETE_QR_LINK = "DELETE FROM qr_links WHERE id = ?"
ADD_QR_CODE = "INSERT INTO qr_codes (hash, link_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
DELETE_QR_CODE = "DELETE FROM qr_codes WHERE hash = ?"

# ---------------------------------------------------------------------------------------------------------- profiles
PROFILE_BY_JID = (
    f"SELECT {PROFILE} FROM accounts a LEFT JOIN profiles p ON p.account_id = a.id "
    "WHERE a.jid = ? AND a.deleted_at IS NULL"
)
PROFILE_TO_UPDATE = (
    f"SELECT {PROFILE}, a.id, a.app_id, a.environment, p.has_name, p.phone_hash FROM accounts a "
    "LEFT JOIN profiles p ON p.account_id = a.id WHERE a.jid = ?"
)
PUT_PROFILE = (
    "INSERT INTO profiles (version, name, status, email, vcard_extra, visibility, updated_at, has_name, mark, "
    "account_id, image, thumb_image, mobile, phone_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (account_id) DO UPDATE "
    "SET version = excluded.version, name = excluded.name, image = excluded.image, "
    "thumb_image = excluded.thumb_image, status = excluded.status, mobile = excluded.mobile, email = excluded.email, "
    "vcard_extra = excluded.vcard_extra, visibility = excluded.visibility, updated_at = excluded.updated_at, "
    "has_name = excluded.has_name, mark = excluded.mark, phone_hash = excluded.phone_hash"
)
SET_PROFILE = (
    "UPDATE profiles SET version = ?, name = ?, status = ?, email = ?, vcard_extra = ?, visibility = ?, "
    "updated_at = ?, has_name = ?, mark = ? WHERE account_id = ?"
)
"""Where picture and number stay: SQLite writes the indexes anew of all columns that a statement names."""
_NEWS = "CASE WHEN p.mark > r.mark THEN p.mark ELSE r.mark END"
CONTACT_PROFILES = (
    f"SELECT {PROFILE.replace('p.mark', _NEWS)} FROM accounts o JOIN rosters r ON r.owner_id = o.id "
    "JOIN accounts a ON a.jid = r.contact JOIN profiles p ON p.account_id = a.id "
    f"WHERE o.jid = ? AND r.subscription IN ('to', 'both') AND a.deleted_at IS NULL "
    f"AND (p.mark > ? OR r.mark > ?) ORDER BY {_NEWS}"
)
NEXT_MARK = "UPDATE domains SET mark = mark + 1 WHERE domain = ? RETURNING mark"
MARK_PROFILE = "UPDATE profiles SET mark = ? WHERE account_id = ?"
ADD_PROFILE_CHANGE = "INSERT INTO profile_changes (account_id, version, record) VALUES (?, ?, ?)"
TRIM_PROFILE_CHANGES = "DELETE FROM profile_changes WHERE account_id = ? AND version <= ?"
PROFILE_CHANGES = (
    "SELECT c.record FROM accounts o JOIN profile_changes c ON c.account_id = o.id WHERE o.jid = ? "
    "ORDER BY c.version DESC"
)
FIND_BY_PHONE = (
    f"SELECT p.phone_hash, {PROFILE} FROM profiles p JOIN accounts a ON a.id = p.account_id WHERE p.phone_hash = ? "
    "AND a.is_findable = 1 AND a.is_blocked = 0 AND a.deleted_at IS NULL"
)
IS_FINDABLE = "SELECT is_findable FROM accounts WHERE jid = ?"
SET_FINDABLE = "UPDATE accounts SET is_findable = ? WHERE jid = ?"
RECENT_STATUSES = (
    "SELECT s.status FROM accounts o JOIN recent_statuses s ON s.account_id = o.id WHERE o.jid = ? "
    "ORDER BY s.position DESC"
)
ADD_RECENT_STATUS = (
    "INSERT INTO recent_statuses (account_id, status, position) VALUES (?, ?, ?) ON CONFLICT (account_id, status) "
    "DO UPDATE SET position = excluded.position"
)
TRIM_RECENT_STATUSES = (
    "DELETE FROM recent_statuses WHERE account_id = ? AND position <= (SELECT position FROM recent_statuses "
    "WHERE account_id = ? ORDER BY position DESC LIMIT 1 OFFSET ?)"
)
FORGET_STATUS = "DELETE FROM recent_statuses WHERE account_id = (SELECT id FROM accounts WHERE jid = ?) AND status = ?"
FORGET_STATUSES = "DELETE FROM recent_statuses WHERE account_id = (SELECT id FROM accounts WHERE jid = ?)"

PICTURE_IN_USE = (
    "SELECT 1 FROM profiles WHERE image <> '' AND substr(image, length(image) - 63) = ? "
    "UNION ALL SELECT 1 FROM history_pictures WHERE token = ? LIMIT 1"
)
ADD_HISTORY_PICTURE = (
    "INSERT INTO history_pictures (account_id, version, token) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
)
TRIM_HISTORY_PICTURES = "DELETE FROM history_pictures WHERE account_id = ? AND version <= ?"

# ----------------------------------------------------------------------------------------------------------- rosters
ROSTER_VERSION = "SELECT roster_version FROM accounts WHERE jid = ?"
NEXT_ROSTER_VERSION = "UPDATE accounts SET roster_version = roster_version + 1 WHERE jid = ? RETURNING roster_version"
ROSTER = f"SELECT {ITEM} FROM accounts o JOIN rosters r ON r.owner_id = o.id WHERE o.jid = ? ORDER BY r.contact"
ROSTER_ITEM = f"SELECT {ITEM} FROM accounts o JOIN rosters r ON r.owner_id = o.id WHERE o.jid = ? AND r.contact = ?"
ROSTER_ITEM_OF = f"SELECT {ITEM} FROM rosters r WHERE r.owner_id = ? AND r.contact = ?"
COUNT_ROSTER = "SELECT COUNT(*) FROM rosters WHERE owner_id = ?"
PUT_ITEM = (
    "INSERT INTO rosters (owner_id, contact, subscription, name, group_names, is_pending_out, is_pending_in, "
    "is_approved, is_listed, request, mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (owner_id, contact) DO UPDATE "
    "SET subscription = excluded.subscription, name = excluded.name, group_names = excluded.group_names, "
    "is_pending_out = excluded.is_pending_out, is_pending_in = excluded.is_pending_in, "
    "is_approved = excluded.is_approved, is_listed = excluded.is_listed, request = excluded.request, "
    "mark = excluded.mark"
)
MARK_ITEM = (
    "UPDATE rosters SET mark = ? WHERE contact = ? AND owner_id = (SELECT id FROM accounts WHERE jid = ?) "
    "AND subscription IN ('to', 'both')"
)
DELETE_ITEM = "DELETE FROM rosters WHERE owner_id = ? AND contact = ?"
OWNERS_OF_CONTACT = (
    "SELECT a.jid FROM rosters r JOIN accounts a ON a.id = r.owner_id WHERE r.contact = ? AND r.owner_id <> ? "
    "ORDER BY a.jid"
)
DELETE_CONTACT = "DELETE FROM rosters WHERE contact = ?"
ADD_INVITATION = (
    "INSERT INTO invitations (id, hash, owner_id, created_at, expires_at, max_uses, uses) "
    "SELECT ?, ?, id, ?, ?, ?, ? FROM accounts WHERE jid = ?"
)
INVITATION_BY_HASH = f"SELECT {INVITATION} FROM invitations i JOIN accounts o ON o.id = i.owner_id WHERE i.hash = ?"
INVITATIONS = (
    f"SELECT {INVITATION} FROM accounts o JOIN invitations i ON i.owner_id = o.id WHERE o.jid = ? "
    "ORDER BY i.created_at, i.id"
)
SET_INVITATION_USES = "UPDATE invitations SET uses = ? WHERE id = ?"
DELETE_INVITATION = "DELETE FROM invitations WHERE id = ? AND owner_id = (SELECT id FROM accounts WHERE jid = ?)"
FORGET_INVITATIONS = "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < ? LIMIT ?)"

# ------------------------------------------------------------------------------------------------------------ blocks
BLOCKED = "SELECT b.blocked FROM accounts o JOIN blocks b ON b.owner_id = o.id WHERE o.jid = ?"
SIGNED_IN = (
    "SELECT a.id, a.is_blocked, b.blocked FROM sessions s JOIN accounts a ON a.id = s.account_id "
    "LEFT JOIN blocks b ON b.owner_id = a.id WHERE s.id = ? AND s.ended_at IS NULL"
)
BLOCKERS = "SELECT o.jid FROM blocks b JOIN accounts o ON o.id = b.owner_id WHERE b.blocked IN (?, ?, ?, ?)"
ADD_BLOCK = "INSERT INTO blocks (owner_id, blocked) VALUES (?, ?) ON CONFLICT DO NOTHING"
DELETE_BLOCK = "DELETE FROM blocks WHERE owner_id = ? AND blocked = ?"

# -------------------------------------------------------------------------------------------------- offline messages
HAS_OFFLINE = "SELECT 1 FROM accounts o JOIN offline_messages m ON m.owner_id = o.id WHERE o.jid = ? LIMIT 1"
COUNT_OFFLINE = "SELECT COUNT(*) FROM offline_messages WHERE owner_id = ?"
OFFLINE_OWNER = "SELECT id FROM accounts WHERE jid = ? AND deleted_at IS NULL"
ADD_OFFLINE = "INSERT INTO offline_messages (owner_id, data, stored_at) VALUES (?, ?, ?)"
OFFLINE = (
    "SELECT m.data FROM accounts o JOIN offline_messages m ON m.owner_id = o.id "
    "WHERE o.jid = ? AND m.stored_at >= ? ORDER BY m.number"
)
DELETE_OFFLINE = "DELETE FROM offline_messages WHERE owner_id = (SELECT id FROM accounts WHERE jid = ?)"
FORGET_OFFLINE = (
    "DELETE FROM offline_messages WHERE number IN (SELECT number FROM offline_messages WHERE stored_at < ? LIMIT ?)"
)

# --------------------------------------------------------------------------------------------------------- PEP nodes
_PEP_NODE = "o.jid, n.name, n.config"
_OF_OWNER = "FROM accounts o JOIN pep_nodes n ON n.owner_id = o.id AND o.deleted_at IS NULL"
_LATEST = "(SELECT MAX(l.position) FROM pep_items l WHERE l.node = n.number)"
PEP_NODES = f"SELECT {_PEP_NODE} {_OF_OWNER} WHERE o.jid = ? ORDER BY n.name"
PEP_NODE = f"SELECT {_PEP_NODE} {_OF_OWNER} WHERE o.jid = ? AND n.name = ?"
PEP_ITEMS = (
    "SELECT i.id, i.payload FROM accounts o JOIN pep_nodes n ON n.owner_id = o.id "
    "JOIN pep_items i ON i.node = n.number WHERE o.jid = ? AND n.name = ? ORDER BY i.position"
)
LATEST_PEP_ITEM = (
    "SELECT i.id, i.payload FROM accounts o JOIN pep_nodes n ON n.owner_id = o.id "
    f"JOIN pep_items i ON i.node = n.number AND i.position = {_LATEST} WHERE o.jid = ? AND n.name = ?"
)
PEP_NODES_OF_CONTACTS = (
    f"SELECT {_PEP_NODE} FROM accounts u JOIN rosters r ON r.owner_id = u.id JOIN accounts o ON o.jid = r.contact "
    "JOIN pep_nodes n ON n.owner_id = o.id WHERE u.jid = ? "
    "AND r.subscription IN ('to', 'both') AND o.deleted_at IS NULL ORDER BY o.jid, n.name"
)
PEP_NODE_TO_CHANGE = "SELECT number, config FROM pep_nodes WHERE owner_id = ? AND name = ?"
PEP_ITEM_SIZES = "SELECT id, size FROM pep_items WHERE node = ? ORDER BY position"
PEP_USAGE = (
    "SELECT (SELECT COUNT(*) FROM pep_nodes WHERE owner_id = ?), (SELECT COALESCE(SUM(i.size), 0) "
    "FROM pep_nodes n JOIN pep_items i ON i.node = n.number WHERE n.owner_id = ?)"
)
ADD_PEP_NODE = "INSERT INTO pep_nodes (owner_id, name, config) VALUES (?, ?, ?)"
SET_PEP_CONFIG = "UPDATE pep_nodes SET config = ? WHERE number = ?"
DELETE_PEP_NODE = "DELETE FROM pep_nodes WHERE number = ?"
PUT_PEP_ITEM = (
    "INSERT INTO pep_items (node, id, payload, size, position) VALUES (?, ?, ?, ?, "
    "(SELECT COALESCE(MAX(position), 0) + 1 FROM pep_items WHERE node = ?)) ON CONFLICT (node, id) DO UPDATE "
    "SET payload = excluded.payload, size = excluded.size, position = excluded.position"
)
DELETE_PEP_ITEM = "DELETE FROM pep_items WHERE node = ? AND id = ?"

# ---------------------------------------------------------------------------------------------------------- PEP ties
_PEP_TIES = (
    f"SELECT o.jid, n.name, a.jid, t.affiliation, t.subscriptions {_OF_OWNER} JOIN pep_ties t ON t.node = n.number "
    "JOIN accounts a ON a.id = t.account_id AND a.deleted_at IS NULL"
)
PEP_TIES_OF_NODE = f"{_PEP_TIES} WHERE o.jid = ? AND n.name = ? ORDER BY a.jid"
PEP_TIES_OF_ACCOUNT = f"{_PEP_TIES} WHERE a.jid = ? ORDER BY o.jid, n.name"
PEP_TIE = "SELECT affiliation, subscriptions FROM pep_ties WHERE node = ? AND account_id = ?"
PEP_TIE_COUNTS = (
    "SELECT (SELECT COUNT(*) FROM pep_ties WHERE node = ?), "
    "(SELECT COUNT(*) FROM pep_ties WHERE account_id = ? AND subscriptions <> '[]')"
)
PUT_PEP_TIE = (
    "INSERT INTO pep_ties (node, account_id, affiliation, subscriptions) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (node, account_id) DO UPDATE SET affiliation = excluded.affiliation, "
    "subscriptions = excluded.subscriptions"
)
DELETE_PEP_TIE = "DELETE FROM pep_ties WHERE node = ? AND account_id = ?"
