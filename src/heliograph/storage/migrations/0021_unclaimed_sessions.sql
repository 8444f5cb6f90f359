-- The session that a link was verified for, until its credential has reached the browser. One that was never claimed is
-- ended: nobody has its password.
ALTER TABLE qr_links ADD COLUMN unclaimed TEXT;
CREATE INDEX qr_links_unclaimed ON qr_links (expires_at) WHERE unclaimed IS NOT NULL;
