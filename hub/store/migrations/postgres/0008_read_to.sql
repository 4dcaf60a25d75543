-- By source the number before which no receipt is unread. A server keeps what an index says of changed rows until it is
-- vacuumed: whoever looks for the first open receipt would walk over all that came in the last minute.
CREATE TABLE read_to (
  source text COLLATE "C" PRIMARY KEY,
  seq    int8 NOT NULL
) WITH (fillfactor = 20);
-- A receipt is claimed within a moment: with room beside it, what a claim changes touches no index.
ALTER TABLE receipts SET (fillfactor = 50);
