-- Until when a delivery may be sent; NULL: whenever. What has expired is a dead letter, which a person may settle.
ALTER TABLE deliveries ADD COLUMN expires_at float8;
CREATE INDEX deliveries_expiring ON deliveries (expires_at)
  WHERE expires_at IS NOT NULL AND doubt = 0 AND waits_for = '' AND (state = 'queued' OR state = 'retrying');

DROP TRIGGER deliveries_final ON deliveries;
CREATE TRIGGER deliveries_final BEFORE UPDATE OF state ON deliveries FOR EACH ROW
WHEN (old.state <> new.state AND (
  old.state IN ('delivered', 'skipped', 'resolved', 'cancelled')
  OR (old.state IN ('dead', 'expired') AND new.state NOT IN ('resolved', 'cancelled'))))
EXECUTE FUNCTION refuse('a final state is never overwritten');
