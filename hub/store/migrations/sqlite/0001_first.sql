-- A list of more than two in a CHECK, an index or a trigger is written with OR: for IN (…) SQLite makes a table of the
-- list at every single row, which costs more than storing the row.

-- What came through a door. seq is the order of arrival, over all sources.
CREATE TABLE receipts (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT,
  receipt_id     TEXT NOT NULL UNIQUE,
  source         TEXT NOT NULL,
  event          TEXT NOT NULL,
  door           TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state = 'received' OR state = 'split' OR state = 'dead'),
  received_at    REAL NOT NULL,
  size           INTEGER NOT NULL,
  content_type   TEXT NOT NULL,
  dedupe_key     TEXT,
  name           TEXT NOT NULL DEFAULT '',
  reference      TEXT NOT NULL DEFAULT '',
  traceparent    TEXT NOT NULL DEFAULT '',
  causation_id   TEXT NOT NULL DEFAULT '',
  correlation_id TEXT NOT NULL DEFAULT '',
  route          TEXT NOT NULL DEFAULT '',
  -- A replay from the start reads the raw bytes of an earlier receipt and keeps that one's place in every lane.
  raw_owner      TEXT NOT NULL DEFAULT '',
  replay_of      TEXT NOT NULL DEFAULT '',
  origin_seq     INTEGER NOT NULL DEFAULT 0,
  origin_position INTEGER NOT NULL DEFAULT -1,
  claimed_by     TEXT,
  enqueued_at    REAL,
  crashes        INTEGER NOT NULL DEFAULT 0,
  message_count  INTEGER NOT NULL DEFAULT 0,
  failure        TEXT,
  fingerprint    TEXT NOT NULL DEFAULT '',
  settled        INTEGER NOT NULL DEFAULT 0,
  resolved_by    TEXT,
  CHECK ((state = 'dead') = (failure IS NOT NULL))
);
CREATE INDEX receipts_open ON receipts (source, seq) WHERE state = 'received';
-- The bytes of a replay that are still to be read: what came after them in the first place waits for them.
CREATE INDEX receipts_again ON receipts (source, origin_seq) WHERE state = 'received' AND origin_seq > 0;
CREATE INDEX receipts_dead ON receipts (seq) WHERE state = 'dead' AND resolved_by IS NULL;
CREATE INDEX receipts_failed ON receipts (seq) WHERE state = 'dead';
CREATE INDEX receipts_issue ON receipts (fingerprint, seq) WHERE fingerprint <> '';
CREATE INDEX receipts_replays ON receipts (replay_of) WHERE replay_of <> '';
CREATE INDEX receipts_borrowed ON receipts (raw_owner) WHERE raw_owner <> '';
CREATE INDEX receipts_unsettled ON receipts (source, seq) WHERE reference <> '' AND settled = 0;

-- Which ids a source has sent: a repeat finds the first receipt.
CREATE TABLE dedupe (
  source     TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  seq        INTEGER NOT NULL,
  PRIMARY KEY (source, dedupe_key)
) WITHOUT ROWID;

CREATE TABLE messages (
  seq            INTEGER NOT NULL REFERENCES receipts (seq),
  position       INTEGER NOT NULL CHECK (position >= 0),
  message_id     TEXT NOT NULL UNIQUE,
  place          TEXT NOT NULL,
  source         TEXT NOT NULL,
  event          TEXT NOT NULL,
  route          TEXT NOT NULL,
  type           TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (
                   state = 'routed' OR state = 'filtered' OR state = 'dead' OR state = 'received'
                   OR state = 'decoded' OR state = 'mapped'),
  main_key       TEXT NOT NULL,
  received_at    REAL NOT NULL,
  correlation_id TEXT NOT NULL,
  causation_id   TEXT NOT NULL,
  traceparent    TEXT NOT NULL,
  set_id         INTEGER NOT NULL,
  failure        TEXT,
  fingerprint    TEXT NOT NULL,
  resolved_by    TEXT,
  PRIMARY KEY (seq, position),
  CHECK ((state = 'dead') = (failure IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX messages_dead ON messages (seq, position) WHERE state = 'dead' AND resolved_by IS NULL;
CREATE INDEX messages_beside ON messages (state, seq, position) WHERE state <> 'routed';
CREATE INDEX messages_issue ON messages (fingerprint, seq, position) WHERE fingerprint <> '';

-- Payloads by owner (receipt, message or delivery) and stage; bodies over 1 MB in several chunks.
CREATE TABLE payloads (
  payload_id   INTEGER PRIMARY KEY,
  owner_id     TEXT NOT NULL,
  stage        TEXT NOT NULL CHECK (
                 stage = 'raw' OR stage = 'canonical' OR stage = 'sent' OR stage = 'edited' OR stage = 'lookups'),
  revision     INTEGER NOT NULL,
  chunk        INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  compressed   INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  stored_at    REAL NOT NULL,
  content      BLOB NOT NULL
);
CREATE UNIQUE INDEX payloads_owner ON payloads (owner_id, stage, revision, chunk);

-- Every business key a message asserts; main = 1 for its own.
CREATE TABLE keys (
  scheme   TEXT NOT NULL,
  value    TEXT NOT NULL,
  issuer   TEXT NOT NULL,
  seq      INTEGER NOT NULL,
  position INTEGER NOT NULL,
  main     INTEGER NOT NULL,
  PRIMARY KEY (scheme, value, issuer, seq, position)
) WITHOUT ROWID;

-- Which document speaks of which other: invoice -> order, payment -> invoice, with the amount where there is one.
CREATE TABLE edges (
  from_key   TEXT NOT NULL,
  to_key     TEXT NOT NULL,
  message_id TEXT NOT NULL,
  amount     TEXT,
  currency   TEXT,
  PRIMARY KEY (from_key, to_key, message_id)
) WITHOUT ROWID;
CREATE INDEX edges_to ON edges (to_key);

-- One message to one target. holds_lane = 1 while later ones of the same lane must wait.
-- due_at is NULL while something else has to happen first (an earlier one of its lane, the target it comes after).
CREATE TABLE deliveries (
  delivery_id  TEXT PRIMARY KEY,
  message_id   TEXT NOT NULL,
  lane_seq     INTEGER NOT NULL,
  source       TEXT NOT NULL,
  route        TEXT NOT NULL,
  target       TEXT NOT NULL,
  system       TEXT NOT NULL,
  lane         TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (
                 state = 'delivering' OR state = 'delivered' OR state = 'queued' OR state = 'retrying'
                 OR state = 'unknown' OR state = 'held' OR state = 'skipped' OR state = 'dead' OR state = 'resolved'
                 OR state = 'cancelled' OR state = 'expired'),
  holds_lane   INTEGER NOT NULL,
  due_at       REAL,
  created_at   REAL NOT NULL,
  updated_at   REAL NOT NULL,
  received_at  REAL NOT NULL,
  attempts     INTEGER NOT NULL DEFAULT 0, -- what the retry policy counts
  tries        INTEGER NOT NULL DEFAULT 0, -- rows in attempts
  revision     INTEGER NOT NULL DEFAULT 1,
  set_id       INTEGER NOT NULL,
  waits_for    TEXT NOT NULL DEFAULT '',
  effect_id    TEXT NOT NULL DEFAULT '', -- whose id the receiver sees in the key; '' = its own
  replay_of    TEXT NOT NULL DEFAULT '',
  replay_depth INTEGER NOT NULL DEFAULT 0,
  doubt        INTEGER NOT NULL DEFAULT 0,
  rebuild      INTEGER NOT NULL DEFAULT 0,
  claimed_by   TEXT,
  claimed_at   REAL,
  crashes      INTEGER NOT NULL DEFAULT 0,
  hold_reason  TEXT NOT NULL DEFAULT '',
  failure      TEXT,
  fingerprint  TEXT NOT NULL DEFAULT '',
  CHECK (state <> 'delivering' OR claimed_by IS NOT NULL),
  CHECK (failure IS NOT NULL OR (state <> 'dead' AND state <> 'held' AND state <> 'unknown')),
  CHECK (due_at IS NULL OR state = 'queued' OR state = 'delivering' OR state = 'retrying' OR state = 'unknown'
         OR state = 'held'),
  CHECK (lane <> '' OR holds_lane = 0),
  CHECK (holds_lane = 0 OR state = 'delivering' OR state = 'queued' OR state = 'retrying' OR state = 'unknown'
         OR state = 'held' OR state = 'dead')
) WITHOUT ROWID;
CREATE INDEX deliveries_lane ON deliveries (system, lane, lane_seq) WHERE holds_lane = 1;
-- Who else was in a lane, for telling whether a newer one has overtaken what is to be replayed.
CREATE INDEX deliveries_lanes ON deliveries (lane, system, lane_seq) WHERE lane <> '';
CREATE INDEX deliveries_due ON deliveries (system, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_claimed ON deliveries (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX deliveries_message ON deliveries (message_id);
CREATE INDEX deliveries_waiting ON deliveries (waits_for) WHERE waits_for <> '' AND due_at IS NULL;
CREATE INDEX deliveries_troubled ON deliveries (state, updated_at)
  WHERE state = 'retrying' OR state = 'unknown' OR state = 'held' OR state = 'dead' OR state = 'expired';
CREATE INDEX deliveries_closed ON deliveries (state, updated_at)
  WHERE state = 'skipped' OR state = 'resolved' OR state = 'cancelled';
CREATE INDEX deliveries_issue ON deliveries (fingerprint, lane_seq) WHERE fingerprint <> '';
CREATE INDEX deliveries_replays ON deliveries (replay_of) WHERE replay_of <> '';

CREATE TRIGGER deliveries_final BEFORE UPDATE OF state ON deliveries
WHEN old.state <> new.state AND (
  old.state = 'delivered' OR old.state = 'skipped' OR old.state = 'resolved' OR old.state = 'cancelled'
  OR old.state = 'expired' OR (old.state = 'dead' AND new.state NOT IN ('resolved', 'cancelled')))
BEGIN SELECT RAISE(ABORT, 'a final state is never overwritten'); END;

-- One row per try, never changed.
CREATE TABLE attempts (
  delivery_id TEXT NOT NULL,
  number      INTEGER NOT NULL,
  started_at  REAL NOT NULL,
  ended_at    REAL NOT NULL,
  worker      TEXT NOT NULL,
  set_id      INTEGER NOT NULL,
  revision    INTEGER NOT NULL,
  outcome     TEXT NOT NULL,
  status      INTEGER NOT NULL,
  code        TEXT NOT NULL,
  detail      TEXT NOT NULL,
  failure     TEXT,
  response    BLOB,
  PRIMARY KEY (delivery_id, number)
) WITHOUT ROWID;
CREATE TRIGGER attempts_append_only BEFORE UPDATE ON attempts
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;

-- Identifiers of one thing in several systems.
CREATE TABLE xrefs (
  system     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  id         TEXT NOT NULL,
  value      TEXT NOT NULL,
  updated_at REAL NOT NULL,
  message_id TEXT NOT NULL,
  PRIMARY KEY (system, kind, id)
) WITHOUT ROWID;

-- Deployed project files by content, sets of them, and the one in force.
CREATE TABLE files (
  sha256  TEXT PRIMARY KEY,
  content BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE sets (
  set_id     INTEGER PRIMARY KEY AUTOINCREMENT,
  hash       TEXT NOT NULL UNIQUE,
  manifest   TEXT NOT NULL,
  created_at REAL NOT NULL,
  actor      TEXT NOT NULL,
  hub_version TEXT NOT NULL
);
CREATE TABLE activations (
  activation_id INTEGER PRIMARY KEY AUTOINCREMENT,
  set_id        INTEGER NOT NULL REFERENCES sets (set_id),
  activated_at  REAL NOT NULL,
  actor         TEXT NOT NULL
);

-- Switches an operator or the engine has thrown: paused routes, stopped systems.
CREATE TABLE switches (
  kind    TEXT NOT NULL CHECK (kind IN ('route', 'system')),
  name    TEXT NOT NULL,
  state   TEXT NOT NULL CHECK (state IN ('paused', 'stopped')),
  reason  TEXT NOT NULL,
  since   REAL NOT NULL,
  actor   TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- What is counted beside: duplicates and refusals per source and reason, and the tally of states.
CREATE TABLE counters (
  kind  TEXT NOT NULL,
  name  TEXT NOT NULL,
  label TEXT NOT NULL,
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  last_at REAL NOT NULL,
  PRIMARY KEY (kind, name, label)
) WITHOUT ROWID;

CREATE TABLE replays (
  replay_id  TEXT PRIMARY KEY,
  created_at REAL NOT NULL,
  actor      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  request    TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('planned', 'running', 'done', 'cancelled')),
  plan_hash  TEXT NOT NULL,
  plan       TEXT NOT NULL,
  started_at REAL,
  ended_at   REAL,
  next_at    REAL -- when its rate lets the next item go
) WITHOUT ROWID;
CREATE TABLE replay_items (
  replay_id   TEXT NOT NULL,
  ordinal     INTEGER NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('receipt', 'message', 'delivery')),
  item_id     TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('waiting', 'started', 'skipped')),
  note        TEXT NOT NULL DEFAULT '',
  new_id      TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (replay_id, ordinal)
) WITHOUT ROWID;
CREATE INDEX replay_items_waiting ON replay_items (replay_id, ordinal) WHERE state = 'waiting';

-- Who may call the admin API; only hashes are kept.
CREATE TABLE api_keys (
  key_id     TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  hash       TEXT NOT NULL UNIQUE,
  created_at REAL NOT NULL,
  revoked_at REAL
) WITHOUT ROWID;

-- Every operator action, chained: each row's hash covers the one before.
CREATE TABLE audit (
  audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
  at       REAL NOT NULL,
  actor    TEXT NOT NULL,
  role     TEXT NOT NULL,
  origin   TEXT NOT NULL,
  action   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  detail   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  hash     TEXT NOT NULL
);
CREATE TRIGGER audit_append_only BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

-- Answers given to acting requests, by their Idempotency-Key.
CREATE TABLE answers (
  scope       TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  status      INTEGER NOT NULL,
  body        BLOB NOT NULL,
  expires_at  REAL NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID;

-- What is open and has been told: one notice when it opens, one when it is over.
CREATE TABLE notices (
  subject   TEXT PRIMARY KEY,
  kind      TEXT NOT NULL,
  detail    TEXT NOT NULL,
  opened_at REAL NOT NULL,
  told_at   REAL,
  closed_at REAL,
  told_closed_at REAL
) WITHOUT ROWID;
