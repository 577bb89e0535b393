-- block_budget: no caller may call for the given seconds. A block that ends later stays.
--
-- Parameters
--   name      text
--   seconds   float8
UPDATE wxyc_assets.budget
SET blocked_until = GREATEST(blocked_until, clock_timestamp() + %(seconds)s * interval '1 second')
WHERE name = %(name)s
RETURNING %(seconds)s::float8
