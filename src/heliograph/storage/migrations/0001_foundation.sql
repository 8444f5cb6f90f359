-- Apps, accounts, sessions, tokens, profiles and rosters. Times are seconds since the epoch; JSON is kept as text.

CREATE TABLE apps (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  assertion_key TEXT NOT NULL,
  policy TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL
);

-- Each app has one JID domain for each environment. `accounts` counts the accounts of the domain, so that the sandbox
-- cap costs a look-up and no scan.
CREATE TABLE domains (
  domain TEXT PRIMARY KEY,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  environment TEXT NOT NULL,
  accounts BIGINT NOT NULL DEFAULT 0,
  UNIQUE (app_id, environment)
);

CREATE TABLE app_keys (
  hash {bytes} PRIMARY KEY,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  environment TEXT NOT NULL,
  publishable TEXT,
  created_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX app_keys_of_app ON app_keys (app_id);

-- The identifier is the localpart of `jid`.
CREATE TABLE accounts (
  id {number},
  jid TEXT NOT NULL UNIQUE,
  app_id TEXT NOT NULL REFERENCES apps (id),
  environment TEXT NOT NULL,
  salt {bytes} NOT NULL,
  iterations INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  is_blocked SMALLINT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL,
  expires_at DOUBLE PRECISION
);
CREATE INDEX accounts_by_expiry ON accounts (expires_at) WHERE expires_at IS NOT NULL;

-- A session that has ended keeps its row as history, and loses its verifiers and tokens. `number` is for references
-- within the database: it grows, so that the rows and indexes of new sessions lie together.
CREATE TABLE sessions (
  number {number},
  id TEXT NOT NULL UNIQUE,
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  via TEXT NOT NULL,
  device TEXT NOT NULL,
  browser TEXT NOT NULL,
  os TEXT NOT NULL,
  ip TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL,
  last_active_at DOUBLE PRECISION NOT NULL,
  stored_sha1 {bytes},
  server_sha1 {bytes},
  stored_sha256 {bytes},
  server_sha256 {bytes},
  password_sha256 {bytes},
  ended_at DOUBLE PRECISION,
  end_reason TEXT
);
CREATE INDEX sessions_of_account ON sessions (account_id, ended_at);

CREATE TABLE tokens (
  hash {bytes} PRIMARY KEY,
  session BIGINT NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  expires_at DOUBLE PRECISION NOT NULL,
  superseded_at DOUBLE PRECISION
) {clustered};
CREATE INDEX tokens_of_session ON tokens (session);

CREATE TABLE assertion_uses (
  hash {bytes} PRIMARY KEY,
  expires_at DOUBLE PRECISION NOT NULL
) {clustered};
CREATE INDEX assertion_uses_by_expiry ON assertion_uses (expires_at);

-- `has_name` says whether a valid name was ever saved, also where it was cleared since.
CREATE TABLE profiles (
  account_id {bigint} PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  name TEXT NOT NULL,
  image TEXT NOT NULL,
  thumb_image TEXT NOT NULL,
  status TEXT NOT NULL,
  mobile TEXT NOT NULL,
  email TEXT NOT NULL,
  vcard_extra TEXT NOT NULL,
  visibility TEXT NOT NULL,
  updated_at DOUBLE PRECISION NOT NULL,
  has_name SMALLINT NOT NULL
);

-- The contact is a bare JID, of this installation or not.
CREATE TABLE rosters (
  owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  contact TEXT NOT NULL,
  subscription TEXT NOT NULL,
  name TEXT NOT NULL,
  group_names TEXT NOT NULL,
  is_pending_out SMALLINT NOT NULL,
  is_pending_in SMALLINT NOT NULL,
  is_approved SMALLINT NOT NULL,
  is_listed SMALLINT NOT NULL,
  PRIMARY KEY (owner_id, contact)
) {clustered};
CREATE INDEX rosters_of_contact ON rosters (contact);
