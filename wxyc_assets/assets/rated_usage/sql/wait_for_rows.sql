-- wait_for_rows: until the transaction ends, this session waits up to 60 s for rows that another session is changing. Its
-- lock_timeout would otherwise be the one that it set for the lock of its hour.
SET LOCAL lock_timeout = '60s'
