-- Several statements of one day may have one id: what goes on from another is the next one.
ALTER TABLE statements_seen DROP CONSTRAINT statements_seen_pkey,
  ADD PRIMARY KEY (account, report_type, statement_id, day, made_at, page, part, digest);
