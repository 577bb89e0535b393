-- select_untrusted_shards: the shards whose latest album_metadata run, ended or not, met answers with an unexpected index.
--
-- Parameters
--   partition_keys   text[]   shards
SELECT latest.partition_key::int AS shard, latest.run_id, latest.unexpected_index
FROM (
  SELECT DISTINCT ON (t.partition_key)
    t.partition_key, t.run_id, (t.counters ->> 'unexpected_index')::bigint AS unexpected_index
  FROM wxyc_assets.tally t
  WHERE t.asset = 'album_metadata' AND t.partition_key = ANY (%(partition_keys)s::text[])
  ORDER BY t.partition_key, t.updated_at DESC, t.started_at DESC
) AS latest
WHERE latest.unexpected_index > 0
