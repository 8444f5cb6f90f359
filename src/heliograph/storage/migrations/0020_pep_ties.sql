-- Who is subscribed to nodes of personal eventing, and whom their owners have named (XEP-0060, section 4).
-- `subscriptions` are JIDs as JSON.
CREATE TABLE pep_ties (
  node BIGINT NOT NULL REFERENCES pep_nodes (number) ON DELETE CASCADE,
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  affiliation TEXT NOT NULL,
  subscriptions TEXT NOT NULL,
  PRIMARY KEY (node, account_id)
);
CREATE INDEX pep_ties_of_account ON pep_ties (account_id);
