-- forget_event_ids: Dagster's storage was replaced and counts from the beginning: whatever it stores is later than what we know.
WITH runs AS (
  UPDATE wxyc_assets.heard_run SET event_id = 0 WHERE event_id <> 0
), states AS (
  UPDATE wxyc_assets.partition_state SET credited_event_id = 0, missed_event_id = 0
)
UPDATE wxyc_assets.alert SET last_event_id = 0 WHERE last_event_id <> 0
