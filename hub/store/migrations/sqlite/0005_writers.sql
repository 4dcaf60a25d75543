-- How often each writer has committed: of use where the store is behind a network, and here so that steps have the same
-- numbers on both databases.
CREATE TABLE writers (
  writer  TEXT PRIMARY KEY,
  commits INTEGER NOT NULL
) WITHOUT ROWID;
