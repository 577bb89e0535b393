-- select_beginning: where a run begins: the database's clock, by which every age is measured, and the highest id there is.
SELECT clock_timestamp(), (SELECT COALESCE(max(id), 0) FROM library)
