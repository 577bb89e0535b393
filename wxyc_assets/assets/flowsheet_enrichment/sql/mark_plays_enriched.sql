-- mark_plays_enriched: those of the plays that still wait are marked as enriched and returned; an earlier metadata_attempt_at
-- stays. A play whose album has a row without a match does not wait: see select_waiting.
--
-- Parameters
--   ids            int[]         plays, at most one chunk
--   played_until   timestamptz   later plays are the enrichment worker's
--   shards         int[]         the shards of the run: a play may have moved to an album of another shard since it was read
--   shard_count    int           a play belongs to shard album_id modulo shard_count
--
-- Source of the predicate: contract/album-metadata.md, "Post-pass UPDATE", and contract/neighbours.md. No other column is written; the table's own trigger
-- sets updated_at.
UPDATE flowsheet f
SET metadata_status = 'enriched_match', metadata_attempt_at = COALESCE(f.metadata_attempt_at, now())
WHERE f.id = ANY (%(ids)s::int[])
  AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  AND f.add_time <= %(played_until)s
  AND mod(f.album_id, %(shard_count)s) = ANY (%(shards)s::int[])
  AND EXISTS (
    SELECT FROM album_metadata am
    WHERE am.album_id = f.album_id AND (am.artwork_url IS NOT NULL OR am.discogs_url IS NOT NULL))
RETURNING f.id
