-- Nodes of personal eventing (XEP-0163) beside those of the profile. `position` counts the publications of a node.
CREATE TABLE pep_nodes (
  number {number},
  owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  config TEXT NOT NULL,
  UNIQUE (owner_id, name)
);

CREATE TABLE pep_items (
  node BIGINT NOT NULL REFERENCES pep_nodes (number) ON DELETE CASCADE,
  id TEXT NOT NULL,
  payload TEXT NOT NULL,
  size BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (node, id)
);
CREATE INDEX pep_items_in_order ON pep_items (node, position);
