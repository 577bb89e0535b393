-- give_back_budget: calls that were reserved and not used are free again, unless anything was reserved behind them: what stands
-- behind has its own instant already, and a second reservation for the same one would exceed the rate.
--
-- Parameters
--   name     text          the budget
--   unused   float8        calls that were not used
--   gap_s    float8        seconds between two calls at the permitted rate
--   mark     timestamptz   what reserve_budget answered
UPDATE wxyc_assets.budget
SET tat = tat - %(unused)s * %(gap_s)s * interval '1 second'
WHERE name = %(name)s AND tat = %(mark)s
