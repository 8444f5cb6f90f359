-- Accounts that are deleted and can be restored, caps on sessions of their own, and what users say on leaving.
ALTER TABLE accounts ADD COLUMN max_sessions INTEGER;
ALTER TABLE accounts ADD COLUMN deleted_at DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN purge_at DOUBLE PRECISION;
CREATE INDEX accounts_to_purge ON accounts (purge_at) WHERE purge_at IS NOT NULL;

-- It outlives its account, and then names nobody.
CREATE TABLE deletion_feedback (
  number {number},
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  environment TEXT NOT NULL,
  account_id BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
  reason TEXT NOT NULL,
  feedback TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX deletion_feedback_of_app ON deletion_feedback (app_id, environment, number);
CREATE INDEX deletion_feedback_of_account ON deletion_feedback (account_id);

-- Of an access token `pair` is the refresh token that came with it; of a superseded refresh token its successor, for as
-- long as it can still be exchanged for another.
ALTER TABLE tokens ADD COLUMN pair {bytes};

-- Registrations that can be repeated: which session came of an `Idempotency-Key`.
CREATE TABLE registration_keys (
  hash {bytes} PRIMARY KEY,
  session TEXT NOT NULL,
  fingerprint {bytes} NOT NULL,
  expires_at DOUBLE PRECISION NOT NULL
) {clustered};
CREATE INDEX registration_keys_by_expiry ON registration_keys (expires_at);

-- By which terms a user is found, and by whom: everyone, or the user's contacts. A term is bytes, so that every database
-- puts terms in the same order. `source` says what the term was made of: the account or the profile.
CREATE TABLE directory (
  domain TEXT NOT NULL,
  term {bytes} NOT NULL,
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  audience TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (domain, term, account_id)
) {clustered};
CREATE INDEX directory_of_account ON directory (account_id, source);
