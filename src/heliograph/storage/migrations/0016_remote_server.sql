-- What an XMPP server of its own (the ejabberd engine) did and was told. A sign-in names the device session whose password
-- was right, and the resource that its connection bound, once that was seen.
CREATE TABLE sign_ins (
  number {number},
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  session_id TEXT NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  resource TEXT,
  bound_at DOUBLE PRECISION
);
CREATE INDEX sign_ins_of_account ON sign_ins (account_id, number);

-- How an account's roster and block list stood when the server was last told: what differs has to be told again.
CREATE TABLE told (
  account_id {bigint} PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  roster_version BIGINT NOT NULL,
  blocked TEXT NOT NULL
);
