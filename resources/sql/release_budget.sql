-- give_back_budget: calls that were reserved and not used do not count in their minute any more. Their place is free again unless
-- anything was reserved behind them: what stands behind has its own instant already, and a second reservation for the same one
-- would exceed the rate.
--
-- Parameters
--   name         text          the budget
--   unused       float8        calls that were not used
--   per_minute   float8        calls that are permitted a minute
--   mark         timestamptz   what reserve_budget answered
--   entry        timestamptz   likewise
UPDATE wxyc_assets.budget
SET tat = CASE WHEN tat = %(mark)s THEN tat - make_interval(secs => %(unused)s::float8 * 60 / %(per_minute)s) ELSE tat END,
  recent_cost[array_position(recent_at, %(entry)s)]
    = GREATEST(0, recent_cost[array_position(recent_at, %(entry)s)] - %(unused)s)
WHERE name = %(name)s AND array_position(recent_at, %(entry)s) IS NOT NULL
