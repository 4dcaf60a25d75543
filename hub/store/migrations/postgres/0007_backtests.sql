-- Back-tests that a running hub was asked for: who, what, how far, and for a few days what came of them.
CREATE TABLE backtests (
  backtest_id text COLLATE "C" PRIMARY KEY,
  created_at  float8 NOT NULL,
  actor       text COLLATE "C" NOT NULL,
  reason      text COLLATE "C" NOT NULL,
  request     text COLLATE "C" NOT NULL, -- what was asked, without the files
  work        bytea NOT NULL, -- all of it, packed
  state       text COLLATE "C" NOT NULL CHECK (
                state = 'waiting' OR state = 'running' OR state = 'done' OR state = 'failed' OR state = 'cancelled'),
  holder      text COLLATE "C" NOT NULL DEFAULT '', -- the process that runs it
  done        int8 NOT NULL DEFAULT 0, -- receipts
  total       int8,
  started_at  float8,
  ended_at    float8,
  error       text COLLATE "C" NOT NULL DEFAULT '',
  result      bytea -- the report, packed
);
