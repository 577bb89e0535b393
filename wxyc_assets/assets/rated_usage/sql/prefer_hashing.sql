-- prefer_hashing: makes the planner hash groups until the transaction ends. It overestimates the number of groups a
-- hundredfold, and would otherwise sort all events on disk.
SET LOCAL enable_sort = off
