-- generator_bulk_load: until the transaction ends, no statement is cut off, and indexes are built with room to sort in.
SELECT
    set_config('statement_timeout', '0', true),
    set_config('maintenance_work_mem', '256MB', true)
