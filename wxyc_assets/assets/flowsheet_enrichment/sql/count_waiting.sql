-- count_waiting: how many plays of these shards have waited since before the run began, one row for each shard that has any.
-- They are select_waiting's plays without those whose row, or whose album's metadata, changed since as_of.
--
-- Parameters
--   as_of          timestamptz   the database's clock when the run began
--   upto_id        int           the highest pending play at that time
--   played_until   timestamptz   later plays are the enrichment worker's
--   shards         int[]         0 .. shard_count - 1
--   shard_count    int           a play belongs to shard album_id modulo shard_count
SELECT mod(f.album_id, %(shard_count)s) AS shard, count(*) AS plays
FROM flowsheet f
JOIN album_metadata am ON am.album_id = f.album_id AND (am.artwork_url IS NOT NULL OR am.discogs_url IS NOT NULL)
WHERE f.id <= %(upto_id)s
  AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  AND f.add_time <= %(played_until)s
  AND mod(f.album_id, %(shard_count)s) = ANY (%(shards)s::int[])
  AND f.updated_at < %(as_of)s AND am.updated_at < %(as_of)s
GROUP BY 1
