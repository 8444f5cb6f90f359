-- One-to-one messages (XEP-0313). A message is kept once, and stands in the archive of each side whose id it has: an
-- account that is deleted, or has too many messages, gives up its id, and who comes last takes the message along. There
-- are no references to accounts, which would be checked for every message; ids are not used twice. `number` is the time
-- at which a message came, in microseconds since the epoch; no two messages have the same.
CREATE TABLE archived_messages (
  number {bigint} PRIMARY KEY,
  token TEXT NOT NULL,
  sender_id BIGINT,
  receiver_id BIGINT,
  size INTEGER NOT NULL,
  sender TEXT NOT NULL,
  receiver TEXT NOT NULL,
  data {bytes} NOT NULL
);

-- The places of messages in archives. `contact_id` is the account of the other side, `owner_id` itself for oneself.
CREATE TABLE archives (
  owner_id BIGINT NOT NULL,
  number BIGINT NOT NULL,
  contact_id BIGINT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (owner_id, number)
) {clustered};
