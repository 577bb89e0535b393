-- generator_artist_id: the first artist of this name.
--
-- Parameters
--   name   text
SELECT min(id) FROM artists WHERE artist_name = %(name)s
