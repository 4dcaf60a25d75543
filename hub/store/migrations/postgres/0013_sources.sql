-- What is fetched from: when it was last read, why it cannot be read now, and how far it was read.
CREATE TABLE sources (
  system        text COLLATE "C" NOT NULL PRIMARY KEY,
  tried_at      float8 NOT NULL,
  read_at       float8, -- the last time that it could be read to its end
  took_at       float8, -- the last time that there was something new
  taken         int8 NOT NULL DEFAULT 0,
  failing_since float8, -- NULL: it can be read
  reason        text COLLATE "C" NOT NULL DEFAULT '',
  memory        bytea NOT NULL DEFAULT ''::bytea -- the connector's own
);
