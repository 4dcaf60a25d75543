-- A circuit that is not closed: nothing goes to the system but one probe at a time. A closed one has no row.
CREATE TABLE circuits (
  system   TEXT PRIMARY KEY,
  state    TEXT NOT NULL CHECK (state = 'open' OR state = 'half_open'),
  since    REAL NOT NULL,
  reason   TEXT NOT NULL,
  actor    TEXT NOT NULL, -- hub, or the person who opened it
  probe_at REAL,          -- when the next probe may go; half open: when the one on its way is given up; NULL: never
  probe_by TEXT NOT NULL DEFAULT '',
  failed_probes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- How long a system has asked to be left alone (429, 503).
CREATE TABLE pauses (
  system  TEXT PRIMARY KEY,
  until   REAL NOT NULL,
  seconds REAL NOT NULL, -- of this pause; the next one that names no time is twice as long
  reason  TEXT NOT NULL
) WITHOUT ROWID;

-- Limits changed at run time; NULL: as configured.
CREATE TABLE adjustments (
  system      TEXT PRIMARY KEY,
  rate        REAL,
  concurrency INTEGER,
  reason      TEXT NOT NULL,
  at          REAL NOT NULL,
  actor       TEXT NOT NULL
) WITHOUT ROWID;

-- Who sends to a system now: each has an equal share of what it bears, until its lease ends.
CREATE TABLE shares (
  system     TEXT NOT NULL,
  worker     TEXT NOT NULL,
  taken_at   REAL NOT NULL,
  expires_at REAL NOT NULL,
  PRIMARY KEY (system, worker)
) WITHOUT ROWID;

-- By route too: each gets its turn, and one that is paused is never walked over.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (system, route, due_at) WHERE due_at IS NOT NULL;

-- What the receiver calls the thing a try has made, as its answer said.
ALTER TABLE attempts ADD COLUMN reference TEXT NOT NULL DEFAULT '';
