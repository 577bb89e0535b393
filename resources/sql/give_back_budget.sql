-- give_back_budget: calls that were reserved and not used are free again, unless anything was reserved behind them: what stands
-- behind has its own instant already, and a second reservation for the same one would exceed the rate.
--
-- Parameters
--   name         text          the budget
--   unused       float8        calls that were not used
--   per_minute   float8        calls that are permitted a minute
--   mark         timestamptz   what reserve_budget answered
UPDATE wxyc_assets.budget
SET tat = tat - make_interval(secs => %(unused)s::float8 * 60 / %(per_minute)s),
  recent_cost[cardinality(recent_cost)] = GREATEST(0, recent_cost[cardinality(recent_cost)] - %(unused)s)
WHERE name = %(name)s AND tat = %(mark)s
