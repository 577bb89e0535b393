-- select_clock: the clock of the database.
SELECT clock_timestamp()
