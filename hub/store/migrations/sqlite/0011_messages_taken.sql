-- Of interchanges some of which was missing: the messages that were taken in, so that each of the others may still come.
ALTER TABLE interchanges_received ADD COLUMN partial INTEGER NOT NULL DEFAULT 0;
CREATE TABLE messages_taken (
  partner   TEXT NOT NULL,
  number    TEXT NOT NULL, -- of the interchange
  reference TEXT NOT NULL, -- of the message in it
  digest    TEXT NOT NULL, -- of its bytes
  taken_at  REAL NOT NULL,
  PRIMARY KEY (partner, number, reference)
) WITHOUT ROWID;
CREATE INDEX messages_taken_at ON messages_taken (taken_at);
