-- Messages that wait for a user who is not there (XEP-0160), as they will be sent.
CREATE TABLE offline_messages (
  number {number},
  owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  data {bytes} NOT NULL,
  stored_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX offline_messages_of_owner ON offline_messages (owner_id, number);
CREATE INDEX offline_messages_by_age ON offline_messages (stored_at);
