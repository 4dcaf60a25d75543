-- The last control number given of each kind, by partner: what is stored with one takes it in the same transaction.
CREATE TABLE control_numbers (
  partner text COLLATE "C" NOT NULL,
  kind    text COLLATE "C" NOT NULL CHECK (kind = 'interchange' OR kind = 'group' OR kind = 'message'),
  last    int8 NOT NULL CHECK (last > 0),
  PRIMARY KEY (partner, kind)
);

-- Interchanges written for partners: which delivery's bytes have which numbers, and what the partner said of them.
CREATE TABLE interchanges_sent (
  delivery_id    text COLLATE "C" NOT NULL,
  revision       int8 NOT NULL,
  partner        text COLLATE "C" NOT NULL,
  interchange    int8 NOT NULL,
  group_number   int8 NOT NULL,
  message_number int8 NOT NULL,
  type           text COLLATE "C" NOT NULL,
  content_hash   text COLLATE "C" NOT NULL, -- of the bytes before they had their numbers
  stamped_at     float8 NOT NULL,
  ack_within     float8, -- seconds after it was delivered; NULL: none is awaited
  ack            text COLLATE "C" NOT NULL DEFAULT '' CHECK (
                   ack = '' OR ack = 'received' OR ack = 'accepted' OR ack = 'partial' OR ack = 'rejected'
                   OR ack = 'expired'),
  ack_at         float8,
  ack_receipt    text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (delivery_id, revision)
);
CREATE UNIQUE INDEX interchanges_sent_number ON interchanges_sent (partner, interchange);
CREATE INDEX interchanges_sent_at ON interchanges_sent (stamped_at);
CREATE INDEX interchanges_unanswered ON interchanges_sent (stamped_at) WHERE ack = '' AND ack_within IS NOT NULL;

-- Control numbers that partners have used: a repeat of one is found, whenever it comes.
CREATE TABLE interchanges_received (
  partner     text COLLATE "C" NOT NULL,
  number      text COLLATE "C" NOT NULL,
  seq         int8 NOT NULL,
  position    int8 NOT NULL,
  digest      text COLLATE "C" NOT NULL, -- of its content
  received_at float8 NOT NULL,
  PRIMARY KEY (partner, number)
);
CREATE INDEX interchanges_received_at ON interchanges_received (received_at);
