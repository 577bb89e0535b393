-- generator_next_ids: the library id and the artist id after the largest ones.
SELECT
    (SELECT COALESCE(max(id), 0) + 1 FROM library),
    (SELECT COALESCE(max(id), 0) + 1 FROM artists)
