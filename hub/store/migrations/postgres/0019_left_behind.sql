-- Receipts that something protected when retention came past them; mark: on which pass.
CREATE TABLE left_behind (
  mark text COLLATE "C" NOT NULL,
  seq  int8 NOT NULL,
  PRIMARY KEY (mark, seq)
);
-- What was passed before is looked at once more.
DELETE FROM counters WHERE kind = 'retention' AND (name LIKE 'raw:%' OR name LIKE 'stages:%');
