-- block_budget: nobody calls for so long; a longer block that stands already stays.
--
-- Parameters
--   name      text
--   seconds   float8
UPDATE wxyc_assets.budget
SET blocked_until = GREATEST(blocked_until, clock_timestamp() + %(seconds)s * interval '1 second')
WHERE name = %(name)s
RETURNING %(seconds)s::float8
