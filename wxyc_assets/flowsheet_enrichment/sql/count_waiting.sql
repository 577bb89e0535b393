-- count_waiting: how many plays of these shards wait to be marked, a row for each shard that has any; select_waiting's plays, but
-- for those that came to wait after an instant: neither the play nor its album's metadata changed since.
--
-- Parameters
--   as_of         timestamptz   the database's clock when the run began
--   upto_id       int           the highest pending play then
--   shards        int[]         0 .. shard_count - 1
--   shard_count   int           a play belongs to shard album_id modulo shard_count
SELECT mod(f.album_id, %(shard_count)s) AS shard, count(*) AS plays
FROM flowsheet f
JOIN album_metadata am ON am.album_id = f.album_id
WHERE f.id <= %(upto_id)s
  AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  AND mod(f.album_id, %(shard_count)s) = ANY (%(shards)s::int[])
  AND f.updated_at < %(as_of)s AND am.updated_at < %(as_of)s
GROUP BY 1
