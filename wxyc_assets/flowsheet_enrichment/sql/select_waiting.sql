-- select_waiting: the plays of one stretch that wait to be marked, by id: pending tracks of an artist, whose album belongs to one
-- of the shards and has its metadata.
--
-- Parameters
--   after_id, upto_id   int     the stretch, its first end left out
--   shards              int[]   0 .. shard_count - 1
--   shard_count         int     a play belongs to shard album_id modulo shard_count
SELECT f.id, mod(f.album_id, %(shard_count)s) AS shard
FROM flowsheet f
WHERE f.id > %(after_id)s AND f.id <= %(upto_id)s
  AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  AND mod(f.album_id, %(shard_count)s) = ANY (%(shards)s::int[])
  AND EXISTS (SELECT FROM album_metadata am WHERE am.album_id = f.album_id)
ORDER BY f.id
