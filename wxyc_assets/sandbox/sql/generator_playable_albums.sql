-- generator_playable_albums: the next page of albums that have an artist name, in the order of their ids.
--
-- Parameters
--   after_id     int    the last id of the previous page
--   page_size    int
SELECT id, artist_name, album_title, label
FROM library
WHERE id > %(after_id)s AND artist_name IS NOT NULL
ORDER BY id
LIMIT %(page_size)s
