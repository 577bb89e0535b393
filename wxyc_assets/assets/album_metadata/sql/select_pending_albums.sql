-- select_pending_albums: the albums of these shards with a pending play in one range of the flowsheet, each once.
--
-- Parameters
--   after_id, upto_id   int           the range of play ids: after_id excluded, upto_id included
--   played_until        timestamptz   later plays are the enrichment worker's
--   shards              int[]         the shards of the run
--   shard_count         int           an album belongs to shard album_id modulo shard_count
SELECT DISTINCT p.album_id
FROM wxyc_assets.pending_play() p
WHERE p.play_id > %(after_id)s AND p.play_id <= %(upto_id)s AND p.played_at <= %(played_until)s
  AND mod(p.album_id, %(shard_count)s) = ANY (%(shards)s::int[])
