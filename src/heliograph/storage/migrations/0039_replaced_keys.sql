-- A key that was replaced is in force up to this time, seconds since the epoch; NULL for one that was not.
ALTER TABLE app_keys ADD COLUMN expires_at DOUBLE PRECISION;
