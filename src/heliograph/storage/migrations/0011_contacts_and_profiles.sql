-- A mark numbers, in the order of the commits, what the clients of one JID domain have to hear of: a changed profile, a
-- subscription that began, a block that ended. A client names the highest mark that it has seen, and gets what is newer.
ALTER TABLE domains ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;
ALTER TABLE profiles ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rosters ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;

-- Whether a user agreed to be found by telephone number; the hash is that of the number in the profile.
ALTER TABLE accounts ADD COLUMN is_findable SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE profiles ADD COLUMN phone_hash {bytes};
CREATE INDEX profiles_by_phone ON profiles (phone_hash) WHERE phone_hash IS NOT NULL;

-- Who changed which field of a profile, and when: the newest changes of each account, as JSON.
CREATE TABLE profile_changes (
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (account_id, version)
) {clustered};

-- The status texts that a user has had, as far as they are kept for choosing again; `position` grows.
CREATE TABLE recent_statuses (
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (account_id, status)
) {clustered};

-- Links that make contacts. The token stands here as its SHA-256.
CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  hash {bytes} NOT NULL UNIQUE,
  owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  created_at DOUBLE PRECISION NOT NULL,
  expires_at DOUBLE PRECISION NOT NULL,
  max_uses INTEGER NOT NULL,
  uses INTEGER NOT NULL
);
CREATE INDEX invitations_of_owner ON invitations (owner_id);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);
