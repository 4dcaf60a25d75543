-- Of interchanges some of which was missing: the messages that were taken in, so that each of the others may still come.
ALTER TABLE interchanges_received ADD COLUMN partial int8 NOT NULL DEFAULT 0;
CREATE TABLE messages_taken (
  partner   text COLLATE "C" NOT NULL,
  number    text COLLATE "C" NOT NULL, -- of the interchange
  reference text COLLATE "C" NOT NULL, -- of the message in it
  digest    text COLLATE "C" NOT NULL, -- of its bytes
  taken_at  float8 NOT NULL,
  PRIMARY KEY (partner, number, reference)
);
CREATE INDEX messages_taken_at ON messages_taken (taken_at);
