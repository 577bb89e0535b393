-- select_budget_state: the seconds until the budget's block ends (0 without a block), and the database's clock.
--
-- Parameters
--   name      text
SELECT GREATEST(0, extract(epoch FROM GREATEST(blocked_until, clock_timestamp()) - clock_timestamp()))::float8, clock_timestamp()
FROM wxyc_assets.budget
WHERE name = %(name)s
