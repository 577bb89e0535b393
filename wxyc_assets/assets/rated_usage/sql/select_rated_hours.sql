-- select_rated_hours: the given hours that any run has rated completely.
--
-- Parameters
--   partition_keys   text[]
SELECT DISTINCT t.partition_key
FROM wxyc_assets.tally t
WHERE t.asset = 'rated_usage' AND t.partition_key = ANY (%(partition_keys)s::text[]) AND t.complete
