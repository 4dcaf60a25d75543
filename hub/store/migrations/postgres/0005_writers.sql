-- How often each writer has committed, counted in the transaction itself: what became of one whose commit was not answered.
-- The server's own numbers of transactions do not tell: those that died with it are given again.
CREATE TABLE writers (
  writer  text COLLATE "C" PRIMARY KEY,
  commits int8 NOT NULL
) WITH (fillfactor = 20);
