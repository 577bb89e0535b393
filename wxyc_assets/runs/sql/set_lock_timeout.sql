-- set_lock_timeout: this session gives up waiting for a lock after so long.
--
-- Parameters
--   wait_ms   int   milliseconds, at least 1
SELECT set_config('lock_timeout', %(wait_ms)s::text, false)
