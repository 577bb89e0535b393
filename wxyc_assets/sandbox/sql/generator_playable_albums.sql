-- generator_playable: the next albums that a play can be of, in the order of their ids.
--
-- Parameters
--   after_id     int    the last id of the previous page
--   page_size    int
SELECT id, artist_name, album_title, label
FROM library
WHERE id > %(after_id)s AND artist_name IS NOT NULL
ORDER BY id
LIMIT %(page_size)s
