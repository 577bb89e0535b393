-- select_later_credits: the partitions of an asset that were credited after an event.
--
-- Parameters
--   asset      text
--   event_id   bigint
SELECT partition_key FROM wxyc_assets.partition_state
WHERE asset = %(asset)s AND credited_at IS NOT NULL AND credited_event_id > %(event_id)s::bigint
