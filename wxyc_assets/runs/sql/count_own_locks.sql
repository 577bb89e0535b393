-- count_own_locks: how many advisory locks this session holds.
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
