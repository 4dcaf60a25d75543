-- What a source gives again and again, as it was in the last round in which it came: known for as long as it goes on
-- coming, unlike the ids of what comes once.
CREATE TABLE items_seen (
  source  TEXT NOT NULL,
  item    TEXT NOT NULL,
  version TEXT NOT NULL, -- the dedupe key
  round   INTEGER NOT NULL,
  seq     INTEGER NOT NULL, -- of the receipt that this version came with first
  seen_at REAL NOT NULL, -- the last time that it came
  PRIMARY KEY (source, item, version)
) WITHOUT ROWID;
CREATE INDEX items_seen_at ON items_seen (source, seen_at);
