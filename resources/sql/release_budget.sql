-- release_budget: reserved calls that were not used no longer count in their minute. Their time is free again unless a later
-- reservation exists: that one already has its own instant, and a second reservation for the same instant would exceed the rate.
--
-- Parameters
--   name         text          the budget
--   unused       float8        calls that were not used
--   per_minute   float8        calls that are permitted per minute
--   mark         timestamptz   the mark that reserve_budget returned
--   entry        timestamptz   the entry that reserve_budget returned
UPDATE wxyc_assets.budget
SET tat = CASE WHEN tat = %(mark)s THEN tat - make_interval(secs => %(unused)s::float8 * 60 / %(per_minute)s) ELSE tat END,
  recent_cost[array_position(recent_at, %(entry)s)]
    = GREATEST(0, recent_cost[array_position(recent_at, %(entry)s)] - %(unused)s)
WHERE name = %(name)s AND array_position(recent_at, %(entry)s) IS NOT NULL
