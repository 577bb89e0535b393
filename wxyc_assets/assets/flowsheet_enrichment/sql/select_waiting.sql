-- select_waiting: the waiting plays of one range, by ascending id: pending tracks of an artist, played early enough, whose album
-- belongs to one of the shards and has a match: a row with artwork_url or discogs_url. A row without both is a shell, which the
-- station stores for an album that LML does not know.
--
-- Parameters
--   after_id, upto_id   int           the range: after_id excluded, upto_id included
--   played_until        timestamptz   later plays are the enrichment worker's
--   shards              int[]         0 .. shard_count - 1
--   shard_count         int           a play belongs to shard album_id modulo shard_count
SELECT f.id, mod(f.album_id, %(shard_count)s) AS shard
FROM flowsheet f
WHERE f.id > %(after_id)s AND f.id <= %(upto_id)s
  AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  AND f.add_time <= %(played_until)s
  AND mod(f.album_id, %(shard_count)s) = ANY (%(shards)s::int[])
  AND EXISTS (
    SELECT FROM album_metadata am
    WHERE am.album_id = f.album_id AND (am.artwork_url IS NOT NULL OR am.discogs_url IS NOT NULL))
ORDER BY f.id
