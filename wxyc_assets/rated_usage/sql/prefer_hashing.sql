-- prefer_hashing: until the transaction ends, groups are hashed. The planner expects a hundred times as many groups as there are,
-- and would then rather sort every event, on disk.
SET LOCAL enable_sort = off
