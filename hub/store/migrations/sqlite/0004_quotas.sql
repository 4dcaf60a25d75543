-- What each source has stored by each route, by stretches of a thousand receipts: what quotas are measured by. Filled only
-- where a quota is set.
CREATE TABLE stored (
  stretch  INTEGER NOT NULL, -- the receipts' numbers over a thousand
  source   TEXT NOT NULL,
  route    TEXT NOT NULL,
  messages INTEGER NOT NULL,
  bytes    INTEGER NOT NULL,
  PRIMARY KEY (stretch, source, route)
) WITHOUT ROWID;

-- When a stretch has to be measured again.
CREATE TABLE stretches (
  stretch  INTEGER PRIMARY KEY,
  again_at REAL NOT NULL
);
CREATE INDEX stretches_again ON stretches (again_at);

-- How full each quota is, as it was measured last; full_since: doors are shut since then.
CREATE TABLE quotas (
  kind       TEXT NOT NULL CHECK (kind = 'hub' OR kind = 'source' OR kind = 'route'),
  name       TEXT NOT NULL,
  messages   INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  full_since REAL,
  pruned_at  REAL,  -- when something was last removed to make room
  pruned_to  REAL,  -- and when the youngest of what was removed had come in
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- The retry budget too is changed at run time; NULL: as configured.
ALTER TABLE adjustments ADD COLUMN retry_budget REAL;
