-- allow_time: the statements of this transaction may take longer than those of other sessions.
--
-- Parameters
--   timeout_ms   text
SELECT set_config('statement_timeout', %(timeout_ms)s, true)
