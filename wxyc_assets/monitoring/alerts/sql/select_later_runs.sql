-- select_later_runs: the ingested runs that ended after an event, the latest first.
--
-- Parameters
--   event_id   bigint
SELECT run_id FROM wxyc_assets.heard_run WHERE event_id > %(event_id)s::bigint ORDER BY event_id DESC LIMIT 100
