-- reserve_budget: the calls are reserved after every earlier reservation and after any block, where no minute holds more than is
-- permitted. The result is the seconds to wait before making the calls, and the two instants that identify the reservation when
-- it is released: the mark, which stays unless a later reservation is made, and its entry in the memory of the last minute.
--
-- Parameters
--   name         text     the budget
--   cost         float8   calls to reserve, more than 0
--   per_minute   float8   calls that are permitted per minute
--   window_s     float8   a minute, plus the little by which a caller may wake late
SELECT wait_s, mark, entry
FROM wxyc_assets.reserve_budget(%(name)s, %(cost)s, %(per_minute)s, %(window_s)s)
WHERE mark IS NOT NULL
