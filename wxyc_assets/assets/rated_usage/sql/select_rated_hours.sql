-- select_rated_hours: those of the hours that a run has rated to their end, at any time.
--
-- Parameters
--   partition_keys   text[]
SELECT DISTINCT t.partition_key
FROM wxyc_assets.tally t
WHERE t.asset = 'rated_usage' AND t.partition_key = ANY (%(partition_keys)s::text[]) AND t.complete
