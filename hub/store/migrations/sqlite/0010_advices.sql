-- Messages whose partners are told what became of them by their content.
CREATE TABLE advices (
  place      INTEGER NOT NULL PRIMARY KEY, -- in the order of arrival; that of a replay is the same
  partner    TEXT NOT NULL,
  message_id TEXT NOT NULL, -- of the message, or of its last replay from the start
  subject    TEXT NOT NULL, -- what it was, as JSON
  told       TEXT NOT NULL DEFAULT '' CHECK (told = '' OR told = 'rejected' OR told = 'accepted'),
  came_at    REAL NOT NULL,
  look_at    REAL -- when to see what has become of it; NULL: there is nothing more to tell
);
CREATE INDEX advices_due ON advices (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX advices_came ON advices (came_at);

-- The number of the document that an interchange carries, and what the partner said of its content.
ALTER TABLE interchanges_sent ADD COLUMN document TEXT NOT NULL DEFAULT '';
ALTER TABLE interchanges_sent ADD COLUMN answer TEXT NOT NULL DEFAULT ''
  CHECK (answer = '' OR answer = 'accepted' OR answer = 'rejected');
ALTER TABLE interchanges_sent ADD COLUMN answer_receipt TEXT NOT NULL DEFAULT '';
CREATE INDEX interchanges_sent_document ON interchanges_sent (partner, document) WHERE document <> '';
