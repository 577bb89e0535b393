-- wait_for_rows: until the transaction ends, rows that somebody else is changing are waited for, however long this session wants to
-- wait for the lock of its hour.
SET LOCAL lock_timeout = '60s'
