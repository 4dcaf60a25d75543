-- By source the number before which no receipt is unread: of use on a server, and here so that statements are the same.
CREATE TABLE read_to (
  source TEXT PRIMARY KEY,
  seq    INTEGER NOT NULL
) WITHOUT ROWID;
