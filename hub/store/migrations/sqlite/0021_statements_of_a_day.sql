-- Several statements of one day may have one id: what goes on from another is the next one.
ALTER TABLE statements_seen RENAME TO statements_seen_before;
CREATE TABLE statements_seen (
  account      TEXT NOT NULL, -- its number, with the bank where that is no IBAN, and its currency
  report_type  TEXT NOT NULL CHECK (
                 report_type = 'statement' OR report_type = 'intraday' OR report_type = 'notification'),
  statement_id TEXT NOT NULL,
  day          TEXT NOT NULL, -- the last one it tells of; '': it does not say
  made_at      TEXT NOT NULL, -- of a report within the day, where several have one id; else ''
  page         INTEGER NOT NULL,
  part         INTEGER NOT NULL,
  number       INTEGER NOT NULL, -- 0: the bank gives none
  opening      TEXT NOT NULL,
  closing      TEXT NOT NULL,
  digest       TEXT NOT NULL, -- of all it says
  sums         TEXT NOT NULL, -- a digest of its amounts and days alone, which no mapping words otherwise
  set_id       INTEGER NOT NULL,
  source       TEXT NOT NULL,
  route        TEXT NOT NULL,
  message_id   TEXT NOT NULL, -- of the message, or of its last replay from the start
  place        INTEGER NOT NULL, -- in the order of arrival; that of a replay is the same
  seen_at      REAL NOT NULL,
  PRIMARY KEY (account, report_type, statement_id, day, made_at, page, part, digest)
) WITHOUT ROWID;
INSERT INTO statements_seen SELECT * FROM statements_seen_before;
DROP TABLE statements_seen_before;
CREATE INDEX statements_seen_day ON statements_seen (account, day, number, opening, closing)
  WHERE report_type = 'statement';
CREATE INDEX statements_seen_place ON statements_seen (place);
CREATE INDEX statements_seen_at ON statements_seen (seen_at);
