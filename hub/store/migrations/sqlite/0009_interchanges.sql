-- The last control number given of each kind, by partner: what is stored with one takes it in the same transaction.
CREATE TABLE control_numbers (
  partner TEXT NOT NULL,
  kind    TEXT NOT NULL CHECK (kind = 'interchange' OR kind = 'group' OR kind = 'message'),
  last    INTEGER NOT NULL CHECK (last > 0),
  PRIMARY KEY (partner, kind)
) WITHOUT ROWID;

-- Interchanges written for partners: which delivery's bytes have which numbers, and what the partner said of them.
CREATE TABLE interchanges_sent (
  delivery_id    TEXT NOT NULL,
  revision       INTEGER NOT NULL,
  partner        TEXT NOT NULL,
  interchange    INTEGER NOT NULL,
  group_number   INTEGER NOT NULL,
  message_number INTEGER NOT NULL,
  type           TEXT NOT NULL,
  content_hash   TEXT NOT NULL, -- of the bytes before they had their numbers
  stamped_at     REAL NOT NULL,
  ack_within     REAL, -- seconds after it was delivered; NULL: none is awaited
  ack            TEXT NOT NULL DEFAULT '' CHECK (
                   ack = '' OR ack = 'received' OR ack = 'accepted' OR ack = 'partial' OR ack = 'rejected'
                   OR ack = 'expired'),
  ack_at         REAL,
  ack_receipt    TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (delivery_id, revision)
) WITHOUT ROWID;
CREATE UNIQUE INDEX interchanges_sent_number ON interchanges_sent (partner, interchange);
CREATE INDEX interchanges_sent_at ON interchanges_sent (stamped_at);
CREATE INDEX interchanges_unanswered ON interchanges_sent (stamped_at) WHERE ack = '' AND ack_within IS NOT NULL;

-- Control numbers that partners have used: a repeat of one is found, whenever it comes.
CREATE TABLE interchanges_received (
  partner     TEXT NOT NULL,
  number      TEXT NOT NULL,
  seq         INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  digest      TEXT NOT NULL, -- of its content
  received_at REAL NOT NULL,
  PRIMARY KEY (partner, number)
) WITHOUT ROWID;
CREATE INDEX interchanges_received_at ON interchanges_received (received_at);
