-- select_still_pending: those of the plays that are still pending.
--
-- Parameters
--   ids   int[]   plays, at most one chunk
SELECT f.id FROM flowsheet f WHERE f.id = ANY (%(ids)s::int[]) AND f.metadata_status = 'pending'
