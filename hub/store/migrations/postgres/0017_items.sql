-- What a source gives again and again, as it was in the last round in which it came: known for as long as it goes on
-- coming, unlike the ids of what comes once.
CREATE TABLE items_seen (
  source  text COLLATE "C" NOT NULL,
  item    text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL, -- the dedupe key
  round   int8 NOT NULL,
  seq     int8 NOT NULL, -- of the receipt that this version came with first
  seen_at float8 NOT NULL, -- the last time that it came
  PRIMARY KEY (source, item, version)
);
CREATE INDEX items_seen_at ON items_seen (source, seen_at);
