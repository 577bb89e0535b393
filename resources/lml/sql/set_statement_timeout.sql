-- set_statement_timeout: no later statement of this session runs longer than the timeout.
--
-- Parameters
--   timeout_ms  int
SELECT set_config('statement_timeout', %(timeout_ms)s::int::text, false)
