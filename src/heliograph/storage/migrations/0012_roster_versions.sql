-- Counts the changes of an account's roster, so that a client can say which one it has (RFC 6121, section 2.6).
ALTER TABLE accounts ADD COLUMN roster_version BIGINT NOT NULL DEFAULT 0;
