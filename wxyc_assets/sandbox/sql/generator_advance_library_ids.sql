-- generator_advance_library_ids: the next album and the next artist get the ids after the largest ones, and the library's
-- watermark moves as its trigger would move it.
WITH touched AS (
    UPDATE library_watermark SET last_modified_at = GREATEST(now(), last_modified_at) RETURNING last_modified_at
)
SELECT
    setval(pg_get_serial_sequence('library', 'id'), (SELECT max(id) FROM library)),
    setval(pg_get_serial_sequence('artists', 'id'), (SELECT max(id) FROM artists)),
    (SELECT last_modified_at FROM touched)
