-- When what has times of day was last done.
CREATE TABLE scheduled (
  name    text COLLATE "C" NOT NULL PRIMARY KEY,
  done_at float8 NOT NULL
);
