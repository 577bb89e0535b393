-- clear_markers: resolved libraries have no marker of an earlier attempt.
--
-- Parameters
--   library_id   int[]
UPDATE library
SET unresolved_attempted_at = NULL
WHERE id = ANY (%(library_id)s::int[]) AND unresolved_attempted_at IS NOT NULL
