-- select_hour_ratings: the runs that rated an hour, oldest first, whether or not they changed a row.
--
-- Parameters
--   partition_key   text   the hour
SELECT t.run_id, r.origin, t.updated_at AS rated_at, t.counters ->> 'price_digest' AS price_digest,
  (t.counters ->> 'events')::bigint AS events, (t.counters ->> 'rollups_written')::bigint AS rollups,
  t.counters ->> 'total_cost' AS total_cost
FROM wxyc_assets.tally t
LEFT JOIN wxyc_assets.run r ON r.run_id = t.run_id
WHERE t.asset = 'rated_usage' AND t.partition_key = %(partition_key)s AND t.complete
ORDER BY t.updated_at, t.run_id
