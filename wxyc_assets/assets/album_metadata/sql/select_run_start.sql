-- select_beginning: where a run begins: the database's clock, by which every age is measured, and the ends of the flowsheet.
SELECT clock_timestamp(), COALESCE((SELECT min(id) FROM flowsheet), 1), COALESCE((SELECT max(id) FROM flowsheet), 0)
