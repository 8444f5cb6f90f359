-- Tokens with which a client signs in again (XEP-0484), the two of one client in a row: its record is JSON, and holds
-- nothing that would sign anybody in.
CREATE TABLE fast_tokens (
  session BIGINT NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
  client TEXT NOT NULL,
  expires_at DOUBLE PRECISION NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (session, client)
) {clustered};
