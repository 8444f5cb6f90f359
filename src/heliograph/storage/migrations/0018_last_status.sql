-- What a user said on going away, told with the time of it (XEP-0012).
ALTER TABLE accounts ADD COLUMN last_status TEXT NOT NULL DEFAULT '';
