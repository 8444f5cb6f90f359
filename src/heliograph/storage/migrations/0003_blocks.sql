-- Whom a user blocks (XEP-0191): an account, a resource or a domain, of this installation or not.
CREATE TABLE blocks (
  owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  blocked TEXT NOT NULL,
  PRIMARY KEY (owner_id, blocked)
) {clustered};
CREATE INDEX blocks_by_blocked ON blocks (blocked);
