-- What each source has stored by each route, by stretches of a thousand receipts: what quotas are measured by. Filled only
-- where a quota is set.
CREATE TABLE stored (
  stretch  int8 NOT NULL, -- the receipts' numbers over a thousand
  source   text COLLATE "C" NOT NULL,
  route    text COLLATE "C" NOT NULL,
  messages int8 NOT NULL,
  bytes    int8 NOT NULL,
  PRIMARY KEY (stretch, source, route)
);

-- When a stretch has to be measured again.
CREATE TABLE stretches (
  stretch  int8 PRIMARY KEY,
  again_at float8 NOT NULL
);
CREATE INDEX stretches_again ON stretches (again_at);

-- How full each quota is, as it was measured last; full_since: doors are shut since then.
CREATE TABLE quotas (
  kind       text COLLATE "C" NOT NULL CHECK (kind = 'hub' OR kind = 'source' OR kind = 'route'),
  name       text COLLATE "C" NOT NULL,
  messages   int8 NOT NULL,
  bytes      int8 NOT NULL,
  full_since float8,
  pruned_at  float8,  -- when something was last removed to make room
  pruned_to  float8,  -- and when the youngest of what was removed had come in
  PRIMARY KEY (kind, name)
);

-- The retry budget too is changed at run time; NULL: as configured.
ALTER TABLE adjustments ADD COLUMN retry_budget float8;
