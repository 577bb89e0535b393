-- flip_plays: those of the plays that still wait are marked as enriched, and named; each keeps the attempt it already had.
--
-- Parameters
--   ids           int[]   plays, a chunk at most
--   shards        int[]   the shards of the run: a play that was moved to another album meanwhile may have left them
--   shard_count   int     a play belongs to shard album_id modulo shard_count
--
-- Source of the predicate: contract/album-metadata.md, "Post-pass UPDATE". Nothing else of the row is written; updated_at is the
-- table's own trigger's.
UPDATE flowsheet f
SET metadata_status = 'enriched_match', metadata_attempt_at = COALESCE(f.metadata_attempt_at, now())
WHERE f.id = ANY (%(ids)s::int[])
  AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  AND mod(f.album_id, %(shard_count)s) = ANY (%(shards)s::int[])
  AND EXISTS (SELECT FROM album_metadata am WHERE am.album_id = f.album_id)
RETURNING f.id
