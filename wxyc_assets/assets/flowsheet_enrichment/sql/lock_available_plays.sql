-- lock_free_plays: those of the plays that nobody else holds are ours until the transaction ends.
--
-- Parameters
--   ids   int[]   plays, a chunk at most
SELECT f.id FROM flowsheet f WHERE f.id = ANY (%(ids)s::int[]) ORDER BY f.id FOR NO KEY UPDATE SKIP LOCKED
