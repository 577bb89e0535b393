-- stamp_markers: libraries that LML did not resolve, and compilations, carry the time of this attempt as their marker.
--
-- Parameters
--   library_id   int[]
UPDATE library
SET unresolved_attempted_at = now()
WHERE id = ANY (%(library_id)s::int[])
