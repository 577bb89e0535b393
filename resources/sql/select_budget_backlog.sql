-- select_budget_backlog: the database's clock, and the seconds for which the shared budget is reserved or blocked from now.
--
-- Parameters
--   name   text   the budget
SELECT clock_timestamp(), GREATEST(0, extract(epoch FROM GREATEST(tat, blocked_until) - clock_timestamp()))::float8
FROM wxyc_assets.budget
WHERE name = %(name)s
