-- set_chunk_timeouts: no statement of this transaction runs, or waits for another session's lock, longer than its limit.
--
-- Parameters
--   statement_timeout_ms   int   milliseconds, at least 1
--   lock_wait_ms           int   milliseconds, at least 1; less than deadlock_timeout
SELECT set_config('statement_timeout', %(statement_timeout_ms)s::text, true),
  set_config('lock_timeout', %(lock_wait_ms)s::text, true)
