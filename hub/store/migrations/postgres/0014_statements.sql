-- Bank statements that came, whatever their format and source, and the parts of long ones: one that comes again is found,
-- and one that is missing.
CREATE TABLE statements_seen (
  account      text COLLATE "C" NOT NULL, -- its number, with the bank where that is no IBAN, and its currency
  report_type  text COLLATE "C" NOT NULL CHECK (
                 report_type = 'statement' OR report_type = 'intraday' OR report_type = 'notification'),
  statement_id text COLLATE "C" NOT NULL,
  day          text COLLATE "C" NOT NULL, -- the last one it tells of; '': it does not say
  made_at      text COLLATE "C" NOT NULL, -- of a report within the day, where several have one id; else ''
  page         int8 NOT NULL,
  part         int8 NOT NULL,
  number       int8 NOT NULL, -- 0: the bank gives none
  opening      text COLLATE "C" NOT NULL,
  closing      text COLLATE "C" NOT NULL,
  digest       text COLLATE "C" NOT NULL, -- of all it says
  sums         text COLLATE "C" NOT NULL, -- a digest of its amounts and days alone, which no mapping words otherwise
  set_id       int8 NOT NULL,
  source       text COLLATE "C" NOT NULL,
  route        text COLLATE "C" NOT NULL,
  message_id   text COLLATE "C" NOT NULL, -- of the message, or of its last replay from the start
  place        int8 NOT NULL, -- in the order of arrival; that of a replay is the same
  seen_at      float8 NOT NULL,
  PRIMARY KEY (account, report_type, statement_id, day, made_at, page, part)
);
CREATE INDEX statements_seen_day ON statements_seen (account, day, number, opening, closing)
  WHERE report_type = 'statement';
CREATE INDEX statements_seen_place ON statements_seen (place);
CREATE INDEX statements_seen_at ON statements_seen (seen_at);

-- What was found about messages that go on all the same. settled_by is '' where what was wrong has come right.
CREATE TABLE message_findings (
  message_id text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL,
  source     text COLLATE "C" NOT NULL,
  detail     text COLLATE "C" NOT NULL,
  found_at   float8 NOT NULL,
  settled_at float8,
  settled_by text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (message_id, code)
);
CREATE INDEX message_findings_open ON message_findings (found_at) WHERE settled_at IS NULL;
CREATE INDEX message_findings_at ON message_findings (found_at);
