-- What has happened, in a chain for each app. Entries are added and never changed; `audit_heads` has the newest of each
-- chain, so that one that is missing at the end is missed.
CREATE TABLE audit (
  app_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  kind TEXT NOT NULL,
  environment TEXT NOT NULL,
  jid TEXT NOT NULL,
  session_id TEXT NOT NULL,
  facts TEXT NOT NULL,
  hash {bytes} NOT NULL,
  PRIMARY KEY (app_id, number)
) {clustered};
CREATE INDEX audit_of_user ON audit (jid, number);

CREATE TABLE audit_heads (
  app_id TEXT PRIMARY KEY,
  number BIGINT NOT NULL,
  hash {bytes} NOT NULL
) {clustered};

-- Where apps' backends listen. `waiting` counts the messages that are not dead letters, so that the bound costs no scan.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  environment TEXT NOT NULL,
  url TEXT NOT NULL,
  kinds TEXT NOT NULL,
  secret TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL,
  waiting BIGINT NOT NULL DEFAULT 0,
  dropped BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX webhooks_of_app ON webhooks (app_id, environment);

CREATE TABLE webhook_messages (
  number {number},
  id TEXT NOT NULL UNIQUE,
  webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL,
  attempts INTEGER NOT NULL,
  due_at DOUBLE PRECISION NOT NULL,
  is_dead SMALLINT NOT NULL,
  problem TEXT NOT NULL
);
CREATE INDEX webhook_messages_in_line ON webhook_messages (webhook_id, is_dead, number);
CREATE INDEX webhook_messages_due ON webhook_messages (is_dead, due_at);
