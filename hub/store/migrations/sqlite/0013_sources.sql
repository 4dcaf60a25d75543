-- What is fetched from: when it was last read, why it cannot be read now, and how far it was read.
CREATE TABLE sources (
  system        TEXT NOT NULL PRIMARY KEY,
  tried_at      REAL NOT NULL,
  read_at       REAL, -- the last time that it could be read to its end
  took_at       REAL, -- the last time that there was something new
  taken         INTEGER NOT NULL DEFAULT 0,
  failing_since REAL, -- NULL: it can be read
  reason        TEXT NOT NULL DEFAULT '',
  memory        BLOB NOT NULL DEFAULT X'' -- the connector's own
) WITHOUT ROWID;
