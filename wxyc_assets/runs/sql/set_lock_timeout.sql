-- set_lock_timeout: this session waits for a lock no longer than this.
--
-- Parameters
--   wait_ms   int   milliseconds, at least 1
SELECT set_config('lock_timeout', %(wait_ms)s::text, false)
