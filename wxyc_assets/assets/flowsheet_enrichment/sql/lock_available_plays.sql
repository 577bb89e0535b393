-- lock_available_plays: those of the plays that no other session has locked are returned, and stay locked until the transaction
-- ends.
--
-- Parameters
--   ids   int[]   plays, at most one chunk
SELECT f.id FROM flowsheet f WHERE f.id = ANY (%(ids)s::int[]) ORDER BY f.id FOR NO KEY UPDATE SKIP LOCKED
