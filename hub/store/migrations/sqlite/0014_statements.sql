-- Bank statements that came, whatever their format and source, and the parts of long ones: one that comes again is found,
-- and one that is missing.
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
  PRIMARY KEY (account, report_type, statement_id, day, made_at, page, part)
) WITHOUT ROWID;
CREATE INDEX statements_seen_day ON statements_seen (account, day, number, opening, closing)
  WHERE report_type = 'statement';
CREATE INDEX statements_seen_place ON statements_seen (place);
CREATE INDEX statements_seen_at ON statements_seen (seen_at);

-- What was found about messages that go on all the same. settled_by is '' where what was wrong has come right.
CREATE TABLE message_findings (
  message_id TEXT NOT NULL,
  code       TEXT NOT NULL,
  source     TEXT NOT NULL,
  detail     TEXT NOT NULL,
  found_at   REAL NOT NULL,
  settled_at REAL,
  settled_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (message_id, code)
) WITHOUT ROWID;
CREATE INDEX message_findings_open ON message_findings (found_at) WHERE settled_at IS NULL;
CREATE INDEX message_findings_at ON message_findings (found_at);
