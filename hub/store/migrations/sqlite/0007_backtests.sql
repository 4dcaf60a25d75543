-- Back-tests that a running hub was asked for: who, what, how far, and for a few days what came of them.
CREATE TABLE backtests (
  backtest_id TEXT PRIMARY KEY,
  created_at  REAL NOT NULL,
  actor       TEXT NOT NULL,
  reason      TEXT NOT NULL,
  request     TEXT NOT NULL, -- what was asked, without the files
  work        BLOB NOT NULL, -- all of it, packed
  state       TEXT NOT NULL CHECK (
                state = 'waiting' OR state = 'running' OR state = 'done' OR state = 'failed' OR state = 'cancelled'),
  holder      TEXT NOT NULL DEFAULT '', -- the process that runs it
  done        INTEGER NOT NULL DEFAULT 0, -- receipts
  total       INTEGER,
  started_at  REAL,
  ended_at    REAL,
  error       TEXT NOT NULL DEFAULT '',
  result      BLOB -- the report, packed
) WITHOUT ROWID;
