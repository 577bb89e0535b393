-- stamp_markers: libraries that LML could not resolve, or that are compilations, rest from now on.
--
-- Parameters
--   library_id   int[]
UPDATE library
SET unresolved_attempted_at = now()
WHERE id = ANY (%(library_id)s::int[])
