-- The accounts up to this one may be older than the directory (migration 8), which has no terms of theirs then. A node's
-- upkeep adds them, from the newest to the oldest.
CREATE TABLE directory_backlog (
  account_id BIGINT PRIMARY KEY
);
INSERT INTO directory_backlog (account_id) SELECT id FROM accounts ORDER BY id DESC LIMIT 1;
