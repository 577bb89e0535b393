-- select_run_start: the start of a run: the database's clock, from which it measures every age, and the highest library id.
SELECT clock_timestamp(), (SELECT COALESCE(max(id), 0) FROM library)
