-- budget_use: the database's clock, how many calls of the budget the last minute used, how many are reserved for later, and when
-- the budget is free.
--
-- Parameters
--   name   text   the budget
SELECT clock.now,
  COALESCE((SELECT sum(r.cost) FROM unnest(b.recent_at, b.recent_cost) AS r (at, cost)
    WHERE r.at > clock.now - interval '1 minute' AND r.at <= clock.now), 0) AS used,
  COALESCE((SELECT sum(r.cost) FROM unnest(b.recent_at, b.recent_cost) AS r (at, cost) WHERE r.at > clock.now), 0) AS ahead,
  GREATEST(clock.now, b.tat, b.blocked_until) AS free_at,
  CASE WHEN b.blocked_until > clock.now THEN b.blocked_until END AS blocked_until
FROM wxyc_assets.budget b, (SELECT clock_timestamp() AS now) clock
WHERE b.name = %(name)s
