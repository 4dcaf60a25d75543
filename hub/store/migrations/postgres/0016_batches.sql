-- What a target collects is sent in batches, each one file or interchange. batch_id is NULL where a delivery goes alone,
-- '' where it waits to be collected, else the id of the first delivery of its batch: that one has the bytes and is tried,
-- and the others follow it.
ALTER TABLE deliveries ADD COLUMN batch_id text COLLATE "C";
CREATE INDEX deliveries_collected ON deliveries (system, route, target, due_at) WHERE batch_id = '' AND state = 'queued';
CREATE INDEX deliveries_batch ON deliveries (batch_id) WHERE batch_id <> '';

CREATE TABLE batches (
  batch_id     text COLLATE "C" NOT NULL PRIMARY KEY,
  route        text COLLATE "C" NOT NULL,
  target       text COLLATE "C" NOT NULL,
  system       text COLLATE "C" NOT NULL,
  collected_at float8 NOT NULL,
  members      int8 NOT NULL CHECK (members > 0),
  names        text COLLATE "C" NOT NULL -- for templates of names and addresses, as JSON: the same at every try
);
CREATE INDEX batches_at ON batches (collected_at);

-- An interchange may hold several messages, each of a delivery of its own.
DROP INDEX interchanges_sent_number;
CREATE UNIQUE INDEX interchanges_sent_number ON interchanges_sent (partner, interchange, message_number);
