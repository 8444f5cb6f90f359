-- QR sign-in. A link is looked up by its id, by a code and by its time, and else read and written as a whole: its record
-- is JSON. A code stands here as its SHA-256 for as long as it is valid, or as it tells a late scan that it is late.

CREATE TABLE qr_links (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  expires_at DOUBLE PRECISION NOT NULL,
  record TEXT NOT NULL
);
CREATE INDEX qr_links_by_expiry ON qr_links (expires_at);

CREATE TABLE qr_codes (
  hash {bytes} PRIMARY KEY,
  link_id TEXT NOT NULL REFERENCES qr_links (id) ON DELETE CASCADE
) {clustered};
CREATE INDEX qr_codes_of_link ON qr_codes (link_id);

-- The sweep looks for linked sessions that were not used for long.
CREATE INDEX sessions_linked ON sessions (last_active_at) WHERE via = 'qr' AND ended_at IS NULL;
