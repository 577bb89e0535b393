-- generator_bulk_load_settings: until the transaction ends, statements have no time limit and index builds sort in memory.
SELECT
    set_config('statement_timeout', '0', true),
    set_config('maintenance_work_mem', '256MB', true)
