-- Sessions that ended long ago are let go. Their account keeps when its user was last active in them.
ALTER TABLE accounts ADD COLUMN last_active_at DOUBLE PRECISION NOT NULL DEFAULT 0;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Old entries of the audit trail are let go, from the first on. The chain then begins behind the entry of this number,
-- whose hash is kept; an entry of the chain itself says so.
ALTER TABLE audit_heads ADD COLUMN kept_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_heads ADD COLUMN anchor {bytes};
