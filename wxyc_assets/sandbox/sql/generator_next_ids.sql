-- generator_first_ids: the first library id and the first artist id that nothing uses.
SELECT
    (SELECT COALESCE(max(id), 0) + 1 FROM library),
    (SELECT COALESCE(max(id), 0) + 1 FROM artists)
