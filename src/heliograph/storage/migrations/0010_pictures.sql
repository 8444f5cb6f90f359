-- Which profiles show a picture that is kept here: its address ends in its token of 64 digits.
CREATE INDEX profiles_by_picture ON profiles (substr(image, length(image) - 63)) WHERE image <> '';

-- The ends of the addresses that a profile's history speaks of, by the version that a change made.
CREATE TABLE history_pictures (
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  token TEXT NOT NULL,
  PRIMARY KEY (account_id, version, token)
) {clustered};
CREATE INDEX history_pictures_by_token ON history_pictures (token);
