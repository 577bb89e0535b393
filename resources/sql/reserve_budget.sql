-- reserve_budget: the calls are reserved, behind everything that was reserved before and behind any block; the answer is how
-- long to wait before making them, and the mark by which what is not used can be given back.
--
-- Parameters
--   name    text     the budget
--   cost    float8   calls to take, more than 0
--   gap_s   float8   seconds between two calls at the permitted rate
UPDATE wxyc_assets.budget
SET tat = GREATEST(tat, blocked_until, clock_timestamp()) + %(cost)s * %(gap_s)s * interval '1 second'
WHERE name = %(name)s
RETURNING GREATEST(0, extract(epoch FROM tat - %(cost)s * %(gap_s)s * interval '1 second' - clock_timestamp()))::float8, tat
