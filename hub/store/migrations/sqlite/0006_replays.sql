-- What a replay has overtaken is asked lane by lane: the newest that was delivered is one step of this index, however many
-- others the lane has. It takes the place of one over all deliveries of lanes.
CREATE INDEX deliveries_overtaking ON deliveries (lane, system, lane_seq) WHERE state = 'delivered' AND lane <> '';
DROP INDEX deliveries_lanes;
-- Dead letters in the order they came in, so that a plan reads no more of them than it is to hold.
CREATE INDEX deliveries_dead ON deliveries (state, lane_seq, delivery_id)
  WHERE state = 'dead' OR state = 'held' OR state = 'expired';

-- Before this one nothing of the replay waits: where the next items are looked for, whatever lies behind them.
ALTER TABLE replays ADD COLUMN done_to INTEGER NOT NULL DEFAULT 0;
CREATE INDEX replays_running ON replays (replay_id) WHERE state = 'running';
DROP INDEX replay_items_waiting;
