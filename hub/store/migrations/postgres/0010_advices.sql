-- Messages whose partners are told what became of them by their content.
CREATE TABLE advices (
  place      int8 NOT NULL PRIMARY KEY, -- in the order of arrival; that of a replay is the same
  partner    text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL, -- of the message, or of its last replay from the start
  subject    text COLLATE "C" NOT NULL, -- what it was, as JSON
  told       text COLLATE "C" NOT NULL DEFAULT '' CHECK (told = '' OR told = 'rejected' OR told = 'accepted'),
  came_at    float8 NOT NULL,
  look_at    float8 -- when to see what has become of it; NULL: there is nothing more to tell
);
CREATE INDEX advices_due ON advices (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX advices_came ON advices (came_at);

-- The number of the document that an interchange carries, and what the partner said of its content.
ALTER TABLE interchanges_sent ADD COLUMN document text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE interchanges_sent ADD COLUMN answer text COLLATE "C" NOT NULL DEFAULT ''
  CHECK (answer = '' OR answer = 'accepted' OR answer = 'rejected');
ALTER TABLE interchanges_sent ADD COLUMN answer_receipt text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX interchanges_sent_document ON interchanges_sent (partner, document) WHERE document <> '';
