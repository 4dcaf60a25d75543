-- Until when a delivery may be sent; NULL: whenever. What has expired is a dead letter, which a person may settle.
ALTER TABLE deliveries ADD COLUMN expires_at REAL;
CREATE INDEX deliveries_expiring ON deliveries (expires_at)
  WHERE expires_at IS NOT NULL AND doubt = 0 AND waits_for = '' AND (state = 'queued' OR state = 'retrying');

DROP TRIGGER deliveries_final;
CREATE TRIGGER deliveries_final BEFORE UPDATE OF state ON deliveries
WHEN old.state <> new.state AND (
  old.state = 'delivered' OR old.state = 'skipped' OR old.state = 'resolved' OR old.state = 'cancelled'
  OR ((old.state = 'dead' OR old.state = 'expired') AND new.state NOT IN ('resolved', 'cancelled')))
BEGIN SELECT RAISE(ABORT, 'a final state is never overwritten'); END;
