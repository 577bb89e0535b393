-- select_run_start: the start of a run: the database's clock, from which it measures every age, and the lowest and highest
-- flowsheet ids.
SELECT clock_timestamp(), COALESCE((SELECT min(id) FROM flowsheet), 1), COALESCE((SELECT max(id) FROM flowsheet), 0)
