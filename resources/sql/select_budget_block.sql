-- select_budget_block: the seconds until the budget's block ends; 0 without a block.
--
-- Parameters
--   name   text   the budget
SELECT CASE WHEN blocked_until > clock_timestamp()
  THEN extract(epoch FROM blocked_until - clock_timestamp()) ELSE 0 END::float8
FROM wxyc_assets.budget
WHERE name = %(name)s
