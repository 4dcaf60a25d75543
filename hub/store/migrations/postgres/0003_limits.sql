-- A circuit that is not closed: nothing goes to the system but one probe at a time. A closed one has no row.
CREATE TABLE circuits (
  system   text COLLATE "C" PRIMARY KEY,
  state    text COLLATE "C" NOT NULL CHECK (state = 'open' OR state = 'half_open'),
  since    float8 NOT NULL,
  reason   text COLLATE "C" NOT NULL,
  actor    text COLLATE "C" NOT NULL, -- hub, or the person who opened it
  probe_at float8,          -- when the next probe may go; half open: when the one on its way is given up; NULL: never
  probe_by text COLLATE "C" NOT NULL DEFAULT '',
  failed_probes int4 NOT NULL DEFAULT 0
);

-- How long a system has asked to be left alone (429, 503).
CREATE TABLE pauses (
  system  text COLLATE "C" PRIMARY KEY,
  until   float8 NOT NULL,
  seconds float8 NOT NULL, -- of this pause; the next one that names no time is twice as long
  reason  text COLLATE "C" NOT NULL
);

-- Limits changed at run time; NULL: as configured.
CREATE TABLE adjustments (
  system      text COLLATE "C" PRIMARY KEY,
  rate        float8,
  concurrency int4,
  reason      text COLLATE "C" NOT NULL,
  at          float8 NOT NULL,
  actor       text COLLATE "C" NOT NULL
);

-- Who sends to a system now: each has an equal share of what it bears, until its lease ends.
CREATE TABLE shares (
  system     text COLLATE "C" NOT NULL,
  worker     text COLLATE "C" NOT NULL,
  taken_at   float8 NOT NULL,
  expires_at float8 NOT NULL,
  PRIMARY KEY (system, worker)
);

-- By route too: each gets its turn, and one that is paused is never walked over.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (system, route, due_at) WHERE due_at IS NOT NULL;

-- What the receiver calls the thing a try has made, as its answer said.
ALTER TABLE attempts ADD COLUMN reference text COLLATE "C" NOT NULL DEFAULT '';
