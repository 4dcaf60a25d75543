-- When what has times of day was last done.
CREATE TABLE scheduled (
  name    TEXT NOT NULL PRIMARY KEY,
  done_at REAL NOT NULL
) WITHOUT ROWID;
