-- Several receipts of one fetched thing, such as the files of a zip, which is filed away when all of them have ended.
ALTER TABLE receipts ADD COLUMN is_part INTEGER NOT NULL DEFAULT 0;
CREATE INDEX receipts_parts ON receipts (source, reference) WHERE is_part = 1;
CREATE INDEX receipts_parts_open ON receipts (source, reference) WHERE is_part = 1 AND settled = 0;

-- Files that stay where they are fetched from, since nobody may rename them there: in hand, or done with.
CREATE TABLE file_leases (
  source    TEXT NOT NULL,
  reference TEXT NOT NULL,
  name      TEXT NOT NULL,
  holder    TEXT NOT NULL,
  until     REAL, -- until when it is in hand; NULL: it is done with
  reason    TEXT NOT NULL DEFAULT '', -- why it could not be taken
  seen_at   REAL NOT NULL, -- the last time that it was known to lie there, about
  PRIMARY KEY (source, reference)
) WITHOUT ROWID;
CREATE INDEX file_leases_seen ON file_leases (source, seen_at);
