-- reserve_budget: the calls are reserved, behind everything that was reserved before and behind any block, where no minute holds
-- more than is permitted; the answer is how long to wait before making them, and by what the reservation is known when
-- it is given back: the mark that stands while nothing is reserved behind it, and its entry in the memory of the last minute.
--
-- Parameters
--   name         text     the budget
--   cost         float8   calls to take, more than 0
--   per_minute   float8   calls that are permitted a minute
--   window_s     float8   a minute, and the little by which a caller may wake late
SELECT wait_s, mark, entry
FROM wxyc_assets.reserve_budget(%(name)s, %(cost)s, %(per_minute)s, %(window_s)s)
WHERE mark IS NOT NULL
