-- What stands inside a request for presence, until it is answered (RFC 6121, section 3.1.3).
ALTER TABLE rosters ADD COLUMN request TEXT NOT NULL DEFAULT '';
