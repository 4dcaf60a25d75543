-- Who does something that only one process may do: of use where several share a store, and here so that steps have the
-- same numbers on both databases.
CREATE TABLE leases (
  name   TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  REAL NOT NULL
) WITHOUT ROWID;
