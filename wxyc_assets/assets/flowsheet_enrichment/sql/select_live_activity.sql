-- select_live_activity: one row if a DJ is live, which means that a track was played within the lookback; no row if not.
--
-- Parameters
--   lookback_seconds   int   seconds, above 0
SELECT 1 FROM flowsheet
WHERE entry_type = 'track' AND add_time > now() - make_interval(secs => %(lookback_seconds)s)
LIMIT 1
