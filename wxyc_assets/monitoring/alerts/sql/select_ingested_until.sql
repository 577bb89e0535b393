-- select_ingested_until: the storage id up to which no other event can appear: every event that was stored before it was
-- committed when it was ingested. 0: none yet.
--
-- Parameters
--   overlap   interval   how long the transaction that stores an event may take
SELECT COALESCE(max(event_id) FILTER (WHERE ingested_at < clock_timestamp() - %(overlap)s::interval), 0), COALESCE(max(event_id), 0)
FROM wxyc_assets.heard_run
